// The check's options and results in Python.
#pragma once

#include <pybind11/pybind11.h>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::python {

/// From a dict whose keys are members of CheckOptions; what is missing or None keeps its default.
/// "precision" is "float64" or "float32".
compare::CheckOptions check_options(const pybind11::dict& given);

/// {"text", "table", "evidence" (JSON), "inputs", "estimate", "estimate_standard_error"}.
pybind11::dict to_dict(const std::string& name, const compare::CheckResult& result);

}  // namespace nngpcheck::python
