#include "python/conversion.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "nngpcheck/inputs/graph.hpp"
#include "nngpcheck/inputs/samples.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/progress.hpp"

namespace nngpcheck::python {

namespace py = pybind11;
using Eigen::Index;

namespace {

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

/// In float64; bytes stay bytes, by which images are known.
files::Array array_of(const py::array& array, const std::string& name) {
  const bool bytes = array.dtype().kind() == 'u' && array.itemsize() == 1;
  const py::array given = bytes ? py::array(py::array_t<std::uint8_t, py::array::c_style>::ensure(array))
                                : py::array(Numbers::ensure(array));
  files::NumberType type;
  if (bytes) type = {files::NumberType::Kind::unsigned_integer, 1};
  const std::vector<std::uint64_t> shape(given.shape(), given.shape() + given.ndim());
  std::string contents(static_cast<const char*>(given.data()), static_cast<std::size_t>(given.nbytes()));
  return files::Array::dense(name, std::move(contents), 0, type, shape);
}

std::optional<inputs::Layout> layout_of(const py::dict& keys) {
  const auto layout = find<std::string>(keys, "layout");
  if (!layout) return std::nullopt;
  if (*layout == "channels_first") return inputs::Layout::channels_first;
  if (*layout == "channels_last") return inputs::Layout::channels_last;
  throw InputError(fmt::format("layout = \"{}\": must be \"channels_first\" or \"channels_last\"", *layout));
}

std::vector<Index> lengths_of(const py::dict& keys, const files::Array& array) {
  const auto lengths = find<std::vector<Index>>(keys, "lengths");
  if (!lengths) return {};
  if (std::ssize(*lengths) != array.count())
    throw InputError(
        fmt::format("lengths: {} lengths for {} sequences; give one each", lengths->size(), array.count()));
  for (const Index length : *lengths) {
    if (length < 1 || length > array.shape()[1])
      throw InputError(fmt::format("lengths holds {}: must be an integer from 1 to {}, the number of tokens",
                                   length, array.shape()[1]));
  }
  return *lengths;
}

void assign_batches(const py::dict& keys, inputs::Inputs& inputs) {
  const auto size = find<Index>(keys, "batch_size");
  if (!size) return;
  if (*size < 1) throw InputError(fmt::format("batch_size = {}: must be at least 1", *size));
  if (*size >= inputs.samples()) return;
  for (Index s = 0; s < inputs.samples(); ++s) inputs.batch.push_back(static_cast<int>(s / *size));
}

/// Makes the inputs the nodes of a graph if there are edges.
void add_graph(const py::dict& keys, inputs::Inputs& inputs) {
  const bool directed = find<bool>(keys, "directed").value_or(false);
  const auto edges = find<Eigen::MatrixXd>(keys, "edges");
  if (!edges) {
    if (directed) throw InputError("directed = True: there is no graph; give edges, or leave it out");
    if (find<std::vector<Index>>(keys, "graph_sizes"))
      throw InputError("graph_sizes: there is no graph; give edges, or leave it out");
    return;
  }
  if (edges->cols() != 2 && edges->cols() != 3)
    throw InputError(fmt::format(
        "edges has rows of {} numbers; give (source, target) or (source, target, weight)", edges->cols()));
  if (!inputs.lengths.empty() || !inputs.grid.empty() || !inputs.batch.empty())
    throw InputError(
        "edges: the nodes of a graph cannot be images or tokens of sequences, nor in batches; give vectors, "
        "or "
        "no graph");
  std::vector<inputs::Edge> list;
  for (Index row = 0; row < edges->rows(); ++row) {
    const double source = (*edges)(row, 0), target = (*edges)(row, 1);
    if (source != std::floor(source) || target != std::floor(target) || std::abs(source) > 1e15 ||
        std::abs(target) > 1e15)
      throw InputError(fmt::format("edges: row {}: {} and {} are no numbers of nodes", row, source, target));
    list.push_back(
        {static_cast<Index>(source), static_cast<Index>(target), edges->cols() == 3 ? (*edges)(row, 2) : 1});
  }
  inputs.graph = inputs::listed_edges(list, inputs.count(),
                                      directed ? inputs::EdgeKind::directed : inputs::EdgeKind::undirected);
  inputs.graph_sizes = find<std::vector<Index>>(keys, "graph_sizes").value_or(std::vector<Index>{});
}

void assign_labels(const py::dict& keys, const std::string& name, inputs::Inputs& inputs) {
  auto labels = find<std::vector<std::string>>(keys, "labels");
  if (!labels) return;
  if (std::ssize(*labels) != inputs.count())
    throw InputError(fmt::format("labels: {} for {}, which has {} inputs; give one each", labels->size(),
                                 name, inputs.count()));
  inputs.labels = std::move(*labels);
}

template <class Matrix>
py::object numpy_or_none(Matrix&& matrix) {
  return matrix.size() == 0 ? py::object(py::none()) : py::cast(std::forward<Matrix>(matrix));
}

Eigen::MatrixXd matrix_of(const py::object& object) {
  return object.is_none() ? Eigen::MatrixXd() : object.cast<Eigen::MatrixXd>();
}

const char* class_of(const Error& error) {
  switch (error.kind()) {
    case Error::Kind::usage:
    case Error::Kind::input:
      return "InputError";
    case Error::Kind::program:
      return "ProgramError";
    case Error::Kind::limit:
      return "LimitError";
    case Error::Kind::sampling:
      return "SamplerError";
    case Error::Kind::comparison:
      return "ComparisonError";
  }
  return "Error";
}

}  // namespace

InputsRead inputs_of(const py::array& array, const std::string& reads, const std::string& name,
                     const py::dict& keys) {
  const inputs::Samples samples{.array = array_of(array, name)};
  const inputs::Form form = inputs::form_of(
      samples, {find<std::vector<Index>>(keys, "grid"), layout_of(keys), find<bool>(keys, "flat"),
                find<py::object>(keys, "lengths").has_value(), reads});
  InputsRead result{
      inputs::make_inputs(samples, form, {0, samples.array.count()},
                          form.kind == inputs::Form::Kind::sequences ? lengths_of(keys, samples.array)
                                                                     : std::vector<Index>{}),
      form.doubt};
  assign_batches(keys, result.inputs);
  add_graph(keys, result.inputs);
  assign_labels(keys, name, result.inputs);
  return result;
}

py::dict to_dict(kernels::Kernel kernel) {
  py::dict result;
  result["value"] = py::cast(std::move(kernel.value));
  result["standard_error"] = numpy_or_none(std::move(kernel.standard_error));
  result["error_bound"] = numpy_or_none(std::move(kernel.error_bound));
  result["repeats"] = kernel.repeats;
  result["labels"] = std::move(kernel.labels);
  result["columns"] = std::move(kernel.columns);
  result["method"] = kernel.method;
  return result;
}

kernels::Kernel kernel_of(const py::object& kernel) {
  return {matrix_of(kernel.attr("value")),
          matrix_of(kernel.attr("standard_error")),
          matrix_of(kernel.attr("error_bound")),
          kernel.attr("repeats").cast<std::int64_t>(),
          kernel.attr("labels").cast<std::vector<std::string>>(),
          kernel.attr("columns").cast<std::vector<std::string>>(),
          kernel.attr("method").cast<std::string>()};
}

void translate_errors() {
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      const py::object raised = py::module_::import("nngpcheck._errors").attr(class_of(error));
      PyErr_SetString(raised.ptr(), error.what());
    } catch (const Stopped& stopped) {
      PyErr_SetString(PyExc_KeyboardInterrupt, stopped.what());
    }
  });
}

}  // namespace nngpcheck::python
