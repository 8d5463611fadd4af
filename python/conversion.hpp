// Between NumPy and this library. In Python rows are samples; here columns are.
#pragma once

#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/kernels/kernel.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::python {

/// "an integer from 0 to 4294967295": what a T must be in Python.
template <class T>
std::string described() {
  if constexpr (std::is_same_v<T, bool>)
    return "True or False";
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return "an integer";
  else if constexpr (std::is_integral_v<T>)
    return "an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
           std::to_string(std::numeric_limits<T>::max());
  else if constexpr (std::is_floating_point_v<T>)
    return "a number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "a string";
  else if constexpr (requires { typename T::Scalar; })
    return "a matrix of numbers";
  else if constexpr (requires { typename T::value_type; })
    return "a list, each " + described<typename T::value_type>();
  else
    return "anything";
}

/// The value of a key; nothing if it is missing or None. Throws InputError.
template <class T>
std::optional<T> find(const pybind11::dict& given, const char* key) {
  if (!given.contains(key) || given[key].is_none()) return std::nullopt;
  try {
    return given[key].template cast<T>();
  } catch (const pybind11::cast_error&) {
    throw InputError(std::string(key) + " = " + pybind11::repr(given[key]).template cast<std::string>() +
                     ": must be " + described<T>());
  }
}

/// Gives the target the key's value, if there is one.
template <class Target>
void take(const pybind11::dict& given, const char* key, Target& target) {
  if constexpr (requires {
                  typename Target::value_type;
                  target.has_value();
                }) {
    target = find<typename Target::value_type>(given, key);
  } else if (auto value = find<Target>(given, key)) {
    target = std::move(*value);
  }
}

/// How an array is to be read: `reads` is what the architecture reads (see inputs::FormKeys), `name` stands
/// in messages, `keys` are grid, layout, flat, lengths, batch_size, labels, edges and directed. Throws
/// InputError for whatever does not fit.
struct InputsRead {
  inputs::Inputs inputs;
  std::string doubt;  // see inputs::Form
};
InputsRead inputs_of(const pybind11::array& array, const std::string& reads, const std::string& name,
                     const pybind11::dict& keys);

/// {"value", "standard_error", "error_bound", "repeats", "labels", "columns", "method"}; error bars that are
/// empty are None.
pybind11::dict to_dict(kernels::Kernel kernel);

/// From an object with these attributes.
kernels::Kernel kernel_of(const pybind11::object& kernel);

/// This library's errors become the classes of nngpcheck._errors. For the modules that may throw them.
void translate_errors();

}  // namespace nngpcheck::python
