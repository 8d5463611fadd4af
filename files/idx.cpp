#include "nngpcheck/files/idx.hpp"

#include <cstdint>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

using Kind = NumberType::Kind;

constexpr std::size_t most_axes_of_idx = 8;

std::optional<NumberType> type_of(char code) {
  switch (code) {
    case 0x08:
      return NumberType{Kind::unsigned_integer, 1, std::endian::big};
    case 0x09:
      return NumberType{Kind::signed_integer, 1, std::endian::big};
    case 0x0B:
      return NumberType{Kind::signed_integer, 2, std::endian::big};
    case 0x0C:
      return NumberType{Kind::signed_integer, 4, std::endian::big};
    case 0x0D:
      return NumberType{Kind::floating, 4, std::endian::big};
    case 0x0E:
      return NumberType{Kind::floating, 8, std::endian::big};
    default:
      return std::nullopt;
  }
}

}  // namespace

bool is_idx(std::string_view bytes) {
  return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && type_of(bytes[2]) && bytes[3] >= 1 &&
         static_cast<std::size_t>(bytes[3]) <= most_axes_of_idx;
}

Array parse_idx(std::string name, std::string bytes) {
  if (!is_idx(bytes)) throw InputError(name + ": not an idx file");
  const auto axes = static_cast<std::size_t>(bytes[3]);
  const std::size_t start = 4 + 4 * axes;
  if (bytes.size() < start) throw InputError(name + ": truncated idx header");
  std::vector<std::uint64_t> shape(axes);
  for (std::size_t k = 4; k < start; ++k) {
    std::uint64_t& length = shape[(k - 4) / 4];
    length = 256 * length + static_cast<unsigned char>(bytes[k]);
  }
  const NumberType type = *type_of(bytes[2]);
  return Array::dense(std::move(name), std::move(bytes), start, type, shape);
}

}  // namespace nngpcheck::files
