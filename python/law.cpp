#include "python/law.hpp"

#include "nngpcheck/analytic/law.hpp"
#include "python/conversion.hpp"
#include "python/listener.hpp"

namespace nngpcheck::python {

namespace py = pybind11;
using analytic::FiniteWidthLaw;
using analytic::Measured;

namespace {

analytic::LawOptions law_options(const py::dict& given) {
  analytic::LawOptions result;
  take(given, "randomizations", result.randomizations);
  take(given, "points", result.points);
  take(given, "bias", result.bias);
  take(given, "seed", result.seed);
  take(given, "threads", result.threads);
  return result;
}

FiniteWidthLaw law(const netsor::Program& program, const py::dict& given, const py::object& report) {
  analytic::LawOptions options = law_options(given);
  return listening(report, [&](const Progress& progress) {
    options.progress = progress;
    return analytic::finite_width_law(program, options);
  });
}

py::object matrix_or_none(const Eigen::MatrixXd& matrix) {
  return matrix.size() == 0 ? py::object(py::none()) : py::cast(matrix);
}

}  // namespace

void bind_law(py::module_& module) {
  py::class_<Measured>(module, "Measured", "A number and its standard error; float() is the number.")
      .def_readonly("value", &Measured::value)
      .def_readonly("standard_error", &Measured::standard_error)
      .def("__float__", [](const Measured& number) { return number.value; })
      .def("__repr__", [](const Measured& number) {
        return py::str("{:.6g} ± {:.2g}").format(number.value, number.standard_error);
      });
  py::class_<FiniteWidthLaw>(
      module, "Law",
      "The kernel K̂ of one random network of width n, to first order in 1/n: E K̂ = K + B/n, "
      "Cov(K̂) = Σ/n, E‖K̂ − K‖² = C/n, in Frobenius norms.")
      .def_property_readonly(
          "kernel", [](const FiniteWidthLaw& self) { return self.kernel; }, "K [m, m].")
      .def_readonly("c", &FiniteWidthLaw::c, "C.")
      .def_property_readonly("relative_c", &FiniteWidthLaw::relative_c, "C/‖K‖².")
      .def_property_readonly(
          "eigenvalues", [](const FiniteWidthLaw& self) { return self.eigenvalues; },
          "Of Σ, descending; those left out sum up to less than 1e-6 C.")
      .def_property_readonly(
          "bias", [](const FiniteWidthLaw& self) { return matrix_or_none(self.bias); },
          "B [m, m]; None if it was not asked for, or where it is not known, see no_bias.")
      .def_property_readonly(
          "bias_standard_error",
          [](const FiniteWidthLaw& self) { return matrix_or_none(self.bias_standard_error); }, "Of B.")
      .def_property_readonly("relative_bias", &FiniteWidthLaw::relative_bias, "‖B‖/‖K‖.")
      .def_readonly("no_bias", &FiniteWidthLaw::no_bias, "Why B is not known, or \"\".")
      .def_readonly("labels", &FiniteWidthLaw::labels, "Of the outputs.")
      .def_readonly("method", &FiniteWidthLaw::method, "How it was computed.")
      .def("quantile", &FiniteWidthLaw::quantile, py::arg("width"), py::arg("level"),
           "The quantile of ‖K̂ − K‖/‖K‖ of one network of that width.")
      .def("width_for", &FiniteWidthLaw::width_for, py::arg("error"), py::arg("confidence") = py::none(),
           "The width from which ‖K̂ − K‖/‖K‖ of one network is at most `error`: in root mean square, or with "
           "a "
           "probability of `confidence`.")
      .def("width_for_entries", &FiniteWidthLaw::width_for_entries, py::arg("error"), py::arg("confidence"),
           "The width from which all |K̂_ab − K_ab| ≤ error·√(K_aa K_bb) at once with that probability.")
      .def("excess_kurtosis", &FiniteWidthLaw::excess_kurtosis,
           "n times the excess kurtosis of the output at each input.")
      .def("__repr__", [](const FiniteWidthLaw& self) {
        return py::str("<Law of {}×{}: E‖K̂ − K‖² = C/n, C = {}; {}>")
            .format(self.kernel.rows(), self.kernel.cols(), py::cast(self.c), self.method);
      });
  module.def("law", &law);
}

}  // namespace nngpcheck::python
