#include "config/npy.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/error.hpp"
#include "config/text_file.hpp"

namespace nngpcheck::config {

namespace {

static_assert(std::endian::native == std::endian::little, "npy files are read as little-endian");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_header = 4096;  // real ones take about 100 bytes

template <class T>
T read_number(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// What stands between `open` and `close` after a key of the header, a Python dictionary such as
/// {'descr': '<f8', 'fortran_order': False, 'shape': (16, 32), }
std::string entry(const std::string& header, const std::string& key, char open, char close,
                  const std::string& name) {
  const std::size_t at = header.find("'" + key + "':");
  const std::size_t first = at == std::string::npos ? at : header.find(open, at + key.size() + 3);
  const std::size_t last = first == std::string::npos ? first : header.find(close, first + 1);
  if (last == std::string::npos) throw ConfigError(name + ": damaged npy header");
  return header.substr(first + 1, last - first - 1);
}

/// The two numbers of a shape such as "16, 32"; nothing for another number of dimensions.
std::optional<std::pair<std::uint64_t, std::uint64_t>> two_sizes(const std::string& shape) {
  std::uint64_t rows = 0, columns = 0;
  const char* last = shape.data() + shape.size();
  const auto [comma, no_rows] = std::from_chars(shape.data(), last, rows);
  if (no_rows != std::errc() || !std::string_view(comma, last).starts_with(", ")) return std::nullopt;
  const auto [end, no_columns] = std::from_chars(comma + 2, last, columns);
  if (no_columns != std::errc() || end != last) return std::nullopt;
  return std::pair(rows, columns);
}

/// A matrix stored row by row.
template <class T>
Eigen::MatrixXd matrix(std::string_view bytes, Eigen::Index rows, Eigen::Index columns) {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> result(rows, columns);
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result.template cast<double>();
}

/// Splits off the header; what remains of `bytes` are the numbers.
std::string take_header(std::string_view& bytes, const std::string& name) {
  if (!bytes.starts_with(magic)) throw ConfigError(name + ": not an npy file");
  const std::size_t length_at = magic.size() + 2;
  if (bytes.size() < length_at + 4) throw ConfigError(name + ": truncated npy header");
  const int version = bytes[magic.size()];
  if (version < 1 || version > 3) {
    throw ConfigError(name + ": npy version " + std::to_string(version) + "; versions 1 to 3 can be read");
  }
  const std::size_t size_of_length = version == 1 ? 2 : 4;
  const std::string_view at = bytes.substr(length_at);
  const std::size_t length = version == 1 ? read_number<std::uint16_t>(at) : read_number<std::uint32_t>(at);
  const std::size_t start = length_at + size_of_length;
  if (length > longest_header || length > bytes.size() - start) {
    throw ConfigError(name + ": damaged npy header: it claims " + std::to_string(length) + " bytes");
  }
  const std::string header(bytes.substr(start, length));
  bytes.remove_prefix(start + length);
  return header;
}

}  // namespace

Eigen::MatrixXd read_npy(const std::filesystem::path& file) {
  const std::string contents = read_file(file);
  const std::string name = file.string();
  std::string_view bytes = contents;
  const std::string header = take_header(bytes, name);

  const std::string type = entry(header, "descr", '\'', '\'', name);
  if (type != "<f4" && type != "<f8") {
    throw ConfigError(name + ": an array of type \"" + type +
                      "\"; save it as float32 or float64, little-endian");
  }
  if (entry(header, "fortran_order", ' ', ',', name) != "False") {
    throw ConfigError(name + ": an array in Fortran order; save numpy.ascontiguousarray(it)");
  }
  const std::string shape = entry(header, "shape", '(', ')', name);
  const auto sizes = two_sizes(shape);
  if (!sizes) throw ConfigError(name + ": an array of shape (" + shape + "); save a two-dimensional one");
  const auto [rows, columns] = *sizes;
  const std::uint64_t size = type == "<f4" ? 4 : 8;
  if (rows == 0 || columns == 0) {
    throw ConfigError(name + ": an empty array; give at least one row and one column");
  }
  // Dividing instead of multiplying: the claim may overflow.
  const std::uint64_t numbers = bytes.size() / size;
  if (bytes.size() % size != 0 || numbers % columns != 0 || numbers / columns != rows) {
    throw ConfigError(fmt::format("{}: its header claims {}×{} numbers, but the file holds {} bytes of them",
                                  name, rows, columns, bytes.size()));
  }
  const auto r = static_cast<Eigen::Index>(rows), c = static_cast<Eigen::Index>(columns);
  return size == 4 ? matrix<float>(bytes, r, c) : matrix<double>(bytes, r, c);
}

}  // namespace nngpcheck::config
