// Enumerations whose values are words in files and messages: mask = "causal" is Mask::causal.
#pragma once

#include <cstddef>

namespace nngpcheck::architectures {

/// The words of an enumeration whose values are 0, 1, …, in their order: an array of const char*, defined beside
/// the enumeration.
template <class E>
inline constexpr auto words = nullptr;

template <class E>
constexpr const char* word(E value) {
  return words<E>.at(static_cast<std::size_t>(value));
}

}  // namespace nngpcheck::architectures
