// Private to the project: words of other libraries for what does not exist here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::architectures {

/// What a message says behind an unknown layer, key or value: why there is none and what comes nearest, if
/// other libraries have it (": there are no groups; …"), else `support::advice`.
std::string advice(std::string_view word, const std::vector<std::string>& valid);

/// The same for the type of a layer: for the name of an activation, how to write that.
std::string layer_advice(std::string_view type, const std::vector<std::string>& valid);

}  // namespace nngpcheck::architectures
