// What tells long texts and arrays apart, the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace nngpcheck::support {

/// FNV-1a of bytes.
inline std::uint64_t fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace nngpcheck::support
