// The module nngpcheck._sampler: what needs LibTorch.
#include "nngpcheck/empirical/sampler.hpp"

#include <pybind11/pybind11.h>

#include <algorithm>
#include <vector>

#include "nngpcheck/compare/program_check.hpp"
#include "python/conversion.hpp"
#include "python/listener.hpp"
#include "python/verdict.hpp"

namespace nngpcheck::python {

namespace py = pybind11;

namespace {

empirical::SamplerOptions sampler_options(const py::dict& given) {
  empirical::SamplerOptions result;
  const auto sampler = given["sampler"].cast<std::string>();
  if (sampler == "exact") result.products = empirical::Products::exact;
  if (sampler == "dense") result.products = empirical::Products::dense;
  if (given["precision"].cast<std::string>() == "float32") result.precision = empirical::Precision::float32;
  take(given, "threads", result.threads);
  return result;
}

py::array_t<double> sample(const netsor::Program& program, std::int64_t width, std::uint64_t seed,
                           std::uint64_t first, std::uint64_t count, const py::dict& options,
                           const py::object& report) {
  const empirical::Sampler sampler(program, sampler_options(options));
  const auto m = static_cast<py::ssize_t>(program.outputs());
  py::array_t<double> result({static_cast<py::ssize_t>(count), m, m});
  double* const numbers = result.mutable_data();
  listening(report, [&](const Progress& progress) {
    sampler.sample(width, seed, first, count, [&](std::uint64_t network, const Eigen::MatrixXd& kernel) {
      const std::uint64_t done = network - first;
      std::copy(kernel.data(), kernel.data() + kernel.size(),
                numbers + static_cast<std::ptrdiff_t>(done) * kernel.size());  // symmetric
      progress.check();
      progress.report(static_cast<double>(done + 1) / static_cast<double>(count),
                      [&] { return "width " + std::to_string(width); });
    });
  });
  return result;
}

py::dict check(const netsor::Program& program, const py::object& kernel, const std::string& name,
               const py::dict& given, const py::dict& sampler, const py::object& report) {
  const kernels::Kernel checked = kernel_of(kernel);
  compare::ProgramCheckOptions options{check_options(given), sampler_options(sampler)};
  options.seed = options.check.seed;
  options.check.seed = 0;  // as the command line has it
  return to_dict(name, listening(report, [&](const Progress& progress) {
                   options.check.progress = progress;
                   return compare::check(program, checked, options);
                 }));
}

}  // namespace
}  // namespace nngpcheck::python

PYBIND11_MODULE(_sampler, module) {
  pybind11::module_::import("nngpcheck._core");  // whose Program this takes
  nngpcheck::python::translate_errors();
  module.def("sample", &nngpcheck::python::sample);
  module.def("check", &nngpcheck::python::check);
}
