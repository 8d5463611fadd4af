// Files of arrays, as other programs write them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace nngpcheck::files {

/// Numbers as bytes; reversed: big-endian.
template <class T>
std::string bytes(const std::vector<T>& numbers, bool reversed = false) {
  std::string result;
  for (const T& number : numbers) {
    std::string one(reinterpret_cast<const char*>(&number), sizeof number);
    if (reversed) std::reverse(one.begin(), one.end());
    result += one;
  }
  return result;
}

/// The file that numpy.save writes for this header's content.
inline std::string npy(const std::string& header, const std::string& numbers, char version = 1) {
  const auto length = static_cast<std::uint32_t>(header.size());
  const std::string prefix = std::string("\x93NUMPY") + version + '\0';
  return prefix + std::string(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4) + header +
         numbers;
}

inline std::string header(const std::string& type, const std::string& order, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }    \n";
}

/// An npy file in C order.
template <class T>
std::string npy_of(const std::string& type, const std::string& shape, const std::vector<T>& numbers) {
  return npy(header(type, "False", shape), bytes(numbers));
}

/// An idx file.
inline std::string idx(char type, const std::vector<std::uint32_t>& shape, const std::string& numbers) {
  return std::string("\0\0", 2) + type + static_cast<char>(shape.size()) + bytes(shape, true) + numbers;
}

}  // namespace nngpcheck::files
