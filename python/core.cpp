// The module nngpcheck._core: what the Python package calls. Its users see the package, which has the
// documentation.
#include <pybind11/pybind11.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/layers/layers.hpp"
#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/inputs/joined_inputs.hpp"
#include "nngpcheck/kernels/read_kernel.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/support/error.hpp"
#include "python/conversion.hpp"
#include "python/law.hpp"
#include "python/listener.hpp"
#include "python/verdict.hpp"

namespace nngpcheck::python {

namespace py = pybind11;

namespace {

using Labels = std::vector<std::string>;

config::Model model_of_json(const std::string& json, const std::string& source) {
  try {
    return config::architecture_from_json(nlohmann::json::parse(json), source);
  } catch (const nlohmann::json::out_of_range&) {
    throw InputError(source + ": holds a number that is too large");
  }
}

netsor::Program program_of(const config::Model& model, const inputs::Inputs& inputs) {
  try {
    return architectures::program(model.network, inputs);
  } catch (const InputError& error) {
    throw InputError(model.name + ": " + error.what());
  }
}

/// The experiment of that name, or the only one. Throws InputError.
config::Experiment experiment_of(const std::string& file, const std::optional<std::string>& name) {
  std::vector<config::Experiment> all = config::read_experiments(file);
  std::string names;
  for (config::Experiment& experiment : all) {
    if (experiment.name == name || (!name && all.size() == 1)) return std::move(experiment);
    names += (names.empty() ? "" : ", ") + experiment.name;
  }
  throw InputError(file + (name ? ": no experiment is called \"" + *name + "\"; it holds " + names
                                : ": holds several experiments; choose one by experiment=: " + names));
}

analytic::LimitOptions limit_options(const py::dict& given) {
  analytic::LimitOptions result;
  take(given, "randomizations", result.randomizations);
  take(given, "points", result.points);
  take(given, "tolerance", result.tolerance);
  take(given, "seed", result.seed);
  take(given, "threads", result.threads);
  return result;
}

std::vector<Eigen::Index> outputs(std::size_t first, std::size_t count) {
  std::vector<Eigen::Index> result(count);
  std::iota(result.begin(), result.end(), static_cast<Eigen::Index>(first));
  return result;
}

py::dict limit(const netsor::Program& program, const py::dict& given, const py::object& report) {
  analytic::LimitOptions options = limit_options(given);
  return to_dict(listening(report, [&](const Progress& progress) -> kernels::Kernel {
    options.progress = progress;
    return analytic::limit(program, options);
  }));
}

/// The block of the program's first outputs, labelled `rows`, and its others, `columns`.
py::dict limit_block(const netsor::Program& program, const Labels& rows, const Labels& columns,
                     const py::dict& given, const py::object& report) {
  analytic::LimitOptions options = limit_options(given);
  kernels::Kernel result = listening(report, [&](const Progress& progress) -> kernels::Kernel {
    options.progress = progress;
    return analytic::limit(program, outputs(0, rows.size()), outputs(rows.size(), columns.size()), options);
  });
  result.labels = rows;
  result.columns = columns;
  return to_dict(std::move(result));
}

/// The ladders that draw(widths, first, count, inputs, purpose) returns: for each width an array
/// [count, entries].
compare::Ladders draw_ladders(const py::object& draw, const compare::LadderRequest& request) {
  const py::gil_scoped_acquire acquire;
  const py::object drawn =
      draw(request.widths, request.first, request.count, request.inputs, request.purpose);
  return {request.widths, drawn.cast<std::vector<Eigen::MatrixXd>>()};
}

py::dict check(const py::object& kernel, const py::object& draw, const std::string& name,
               const py::dict& given, const py::object& report) {
  const kernels::Kernel checked = kernel_of(kernel);
  compare::CheckOptions options = check_options(given);
  Listener listener(report);
  options.progress = listener.immediate();
  compare::CheckResult result;
  try {
    const py::gil_scoped_release release;
    const auto start = std::chrono::steady_clock::now();
    result = compare::check(
        checked, [&](const compare::LadderRequest& request) { return draw_ladders(draw, request); }, options);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } catch (const Stopped&) {
    listener.rethrow();
    throw;
  }
  return to_dict(name, result);
}

py::list table_of(const std::vector<architectures::OptionInfo>& options) {
  py::list result;
  for (const architectures::OptionInfo& option : options)
    result.append(py::make_tuple(option.name, option.type_text(), option.fallback, option.meaning));
  return result;
}

/// (name, summary, [(option, type, default, meaning)], [parts], [those that may be left out]) of every layer.
py::list layer_kinds() {
  py::list result;
  for (const architectures::LayerKind& kind : architectures::layer_kinds())
    result.append(py::make_tuple(kind.name, kind.summary, table_of(kind.options), kind.parts, kind.optional));
  return result;
}

/// (name, summary, [(option, type, default, meaning)], what it reads) of every named architecture.
py::list named_architectures() {
  py::list result;
  for (const architectures::Architecture& one : architectures::all())
    result.append(py::make_tuple(one.name, one.summary, table_of(one.options), one.inputs));
  return result;
}

}  // namespace
}  // namespace nngpcheck::python

PYBIND11_MODULE(_core, module) {
  namespace py = pybind11;
  using namespace nngpcheck;

  module.attr("version") = NNGPCHECK_VERSION;
  python::translate_errors();

  py::class_<config::Model>(module, "Model")
      .def_readonly("name", &config::Model::name)
      .def_readonly("reads", &config::Model::reads);
  py::class_<python::InputsRead>(module, "Inputs")
      .def_property_readonly("labels", [](const python::InputsRead& read) { return read.inputs.labels; })
      .def_property_readonly("lengths", [](const python::InputsRead& read) { return read.inputs.lengths; })
      .def_readonly("doubt", &python::InputsRead::doubt);
  py::class_<netsor::Program>(module, "Program", "A tensor program: what a network does to its inputs.")
      .def_property_readonly(
          "labels", [](const netsor::Program& program) { return program.output().labels; }, "Of its outputs.")
      .def("__len__", [](const netsor::Program& program) { return program.outputs(); })
      .def("__str__", [](const netsor::Program& program) { return netsor::print(program); });
  py::class_<config::Experiment>(module, "Experiment")
      .def_readonly("name", &config::Experiment::name)
      .def_readonly("program", &config::Experiment::program)
      .def_readonly("doubt", &config::Experiment::inputs_doubt)
      .def_property_readonly("lengths",
                             [](const config::Experiment& experiment) { return experiment.inputs.lengths; });

  module.def("model_of_toml", [](const std::string& toml, const std::string& source,
                                 const std::optional<std::string>& experiment) {
    return config::read_architecture(toml, source, experiment);
  });
  module.attr("takes_numpy_2") = PYBIND11_VERSION_HEX >= 0x020C0000;  // earlier ones crash
  module.def("model_of_json", &python::model_of_json);
  module.def("experiment", &python::experiment_of);
  module.def("inputs", &python::inputs_of);
  module.def("program", [](const config::Model& model, const python::InputsRead& read) {
    return python::program_of(model, read.inputs);
  });
  module.def("joined_program", [](const config::Model& model, const python::InputsRead& rows,
                                  const python::InputsRead& columns) {
    return python::program_of(model, inputs::joined(rows.inputs, columns.inputs));
  });
  module.def("given_kernel", [](Eigen::MatrixXd value, double epsilon) {
    return python::to_dict(kernels::given_kernel(std::move(value), epsilon, "the kernel"));
  });
  module.def("limit", &python::limit);
  module.def("limit_block", &python::limit_block);
  module.def("check", &python::check);
#ifdef NNGPCHECK_LAW
  python::bind_law(module);
#endif
  module.def("layer_kinds", &python::layer_kinds);
  module.def("named_architectures", &python::named_architectures);
}
