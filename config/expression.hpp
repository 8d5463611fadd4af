#pragma once

#include <functional>
#include <string>

namespace nngpcheck::config {

/// The function that an expression in x describes, such as "x*tanh(x)"; muparser's syntax and functions (sin,
/// cos, tanh, exp, log, sqrt, abs, min, max, sign, ...; x > 0 ? x : 0), erf, erfc, pi and e. Several threads
/// may call it at once. Throws ConfigError if the text is no such expression, or has no finite value
/// somewhere in [-10, 10].
std::function<double(double)> parse_expression(const std::string& text);

}  // namespace nngpcheck::config
