// The finite-width law in Python.
#pragma once

#include <pybind11/pybind11.h>

namespace nngpcheck::python {

/// Adds the classes Law and Measured, and law(program, options, report) -> Law.
void bind_law(pybind11::module_& module);

}  // namespace nngpcheck::python
