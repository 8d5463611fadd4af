#include "python/verdict.hpp"

#include "nngpcheck/compare/report/evidence_table.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "python/conversion.hpp"

namespace nngpcheck::python {

namespace py = pybind11;

compare::CheckOptions check_options(const py::dict& given) {
  compare::CheckOptions result;
  take(given, "widths", result.widths);
  take(given, "ladders", result.ladders);
  take(given, "resolution", result.resolution);
  take(given, "tolerance", result.tolerance);
  take(given, "false_alarm", result.false_alarm);
  take(given, "time", result.time);
  take(given, "largest_width", result.largest_width);
  take(given, "inputs", result.inputs);
  take(given, "groups", result.groups);
  take(given, "seed", result.seed);
  std::string precision = "float64";
  take(given, "precision", precision);
  result.precision = precision == "float32" ? compare::Precision::float32 : compare::Precision::float64;
  return result;
}

py::dict to_dict(const std::string& name, const compare::CheckResult& result) {
  py::dict dict;
  dict["text"] = compare::verdict_text(name, result);
  dict["table"] = compare::evidence_table(result);
  dict["evidence"] = compare::to_json(result).dump();
  dict["inputs"] = result.inputs;
  dict["labels"] = result.labels;
  dict["estimate"] = result.estimate;
  dict["estimate_standard_error"] = result.estimate_standard_error;
  return dict;
}

}  // namespace nngpcheck::python
