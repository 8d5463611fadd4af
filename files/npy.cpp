#include "nngpcheck/files/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "nngpcheck/files/number.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

using Kind = NumberType::Kind;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_header = 4096;  // real ones take about 100 bytes
constexpr std::size_t most_axes_of_npy = 32;  // as NumPy 1 has it

/// The header of a file, and where it ends.
struct Header {
  std::string_view text;
  std::size_t end;
};

Header find_header(std::string_view bytes, const std::string& name) {
  const std::size_t length_at = magic.size() + 2;
  if (bytes.size() < length_at + 4) throw InputError(name + ": truncated npy header");
  const auto byte = [&](std::size_t k) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[k]));
  };
  const std::size_t version = byte(magic.size());
  if (version < 1 || version > 3) {
    throw InputError(name + ": npy version " + std::to_string(version) + "; versions 1 to 3 can be read");
  }
  const std::size_t size_of_length = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t k = size_of_length; k-- > 0;) length = 256 * length + byte(length_at + k);
  const std::size_t start = length_at + size_of_length;
  if (length > longest_header || length > bytes.size() - start) {
    throw InputError(name + ": damaged npy header: it claims " + std::to_string(length) + " bytes");
  }
  return {bytes.substr(start, length), start + length};
}

/// What follows a key of the header, a Python dictionary such as
/// {'descr': '<f8', 'fortran_order': False, 'shape': (16, 32), }
std::string_view value_of(std::string_view header, const std::string& key, const std::string& name) {
  for (const char quote : {'\'', '"'}) {
    const std::string text = quote + key + quote;
    const std::size_t at = header.find(text);
    const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at + text.size());
    if (colon == std::string_view::npos) continue;
    const std::size_t first = header.find_first_not_of(' ', colon + 1);
    if (first != std::string_view::npos) return header.substr(first);
  }
  throw InputError(name + ": damaged npy header");
}

[[noreturn]] void refuse_type(const std::string& name, std::string_view type, const std::string& remedy) {
  throw InputError(fmt::format("{}: an array of type {}; {}", name, in_quotes(type), remedy));
}

NumberType parse_type(std::string_view value, const std::string& name) {
  if (value.starts_with('['))
    refuse_type(name, "structured", "save numpy.lib.recfunctions.structured_to_unstructured(it)");
  const char quote = value.front();
  const std::size_t end = value.find(quote, 1);
  if ((quote != '\'' && quote != '"') || end == std::string_view::npos) {
    throw InputError(name + ": damaged npy header");
  }
  const std::string_view type = value.substr(1, end - 1);
  const bool ordered =
      type.starts_with('<') || type.starts_with('>') || type.starts_with('|') || type.starts_with('=');
  const char letter = ordered && type.size() > 1 ? type[1] : ' ';
  const auto size = parse_number<std::size_t>(type.substr(std::min<std::size_t>(type.size(), 2)));
  NumberType result{Kind::floating, size.value_or(0),
                    type.starts_with('>') ? std::endian::big : std::endian::little};
  const bool known_size = std::has_single_bit(result.bytes) && result.bytes <= 8;
  switch (letter) {
    case 'b':
      result.kind = Kind::boolean;
      if (result.bytes == 1) return result;
      break;
    case 'i':
    case 'u':
      result.kind = letter == 'i' ? Kind::signed_integer : Kind::unsigned_integer;
      if (known_size) return result;
      break;
    case 'f':
      if (known_size && result.bytes > 1) return result;
      break;
    case 'c':
      refuse_type(name, type,
                  "complex numbers are no inputs; save its real and imaginary parts beside each other");
    case 'O':
      refuse_type(name, type, "Python objects, as rows of different lengths make; save it.astype(float)");
    case 'U':
    case 'S':
      refuse_type(name, type, "texts; save it.astype(float), without the columns that are no numbers");
    case 'M':
    case 'm':
      refuse_type(name, type, "dates or times; save it.astype(float)");
    case 'V':
      refuse_type(name, type, "NumPy has no such number (bfloat16?); save it.astype(numpy.float32)");
    default:
      break;
  }
  refuse_type(name, type, "save it.astype(float)");
}

/// The lengths in a shape such as "(16, 32)", "(3,)" or "()".
std::vector<std::uint64_t> parse_shape(std::string_view value, const std::string& name) {
  const std::size_t end = value.find(')');
  if (!value.starts_with('(') || end == std::string_view::npos)
    throw InputError(name + ": damaged npy header");
  std::string_view rest = value.substr(1, end - 1);
  std::vector<std::uint64_t> result;
  while (!trimmed(rest).empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto length = parse_number<std::uint64_t>(rest.substr(0, comma));
    if (!length || result.size() == most_axes_of_npy) {
      throw InputError(
          fmt::format("{}: damaged npy header: the shape {}", name, in_quotes(value.substr(0, end + 1))));
    }
    result.push_back(*length);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return result;
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.starts_with(magic); }

Array parse_npy(std::string name, std::string bytes) {
  if (!is_npy(bytes)) throw InputError(name + ": not an npy file");
  const Header header = find_header(bytes, name);
  const NumberType type = parse_type(value_of(header.text, "descr", name), name);
  const bool fortran = value_of(header.text, "fortran_order", name).starts_with("True");
  const std::vector<std::uint64_t> shape = parse_shape(value_of(header.text, "shape", name), name);
  const std::size_t start = header.end;
  return Array::dense(std::move(name), std::move(bytes), start, type, shape, fortran);
}

Eigen::MatrixXd as_matrix(const Array& array) {
  const Array::Shape& shape = array.shape();
  const bool two =
      shape.size() >= 2 && std::all_of(shape.begin() + 2, shape.end(), [](auto k) { return k == 1; });
  if (!two) {
    throw InputError(array.name() + ": an array of shape " + array.shape_text() +
                     "; save a two-dimensional one");
  }
  return array.samples(0, array.count()).transpose();
}

Eigen::MatrixXd read_npy(const std::filesystem::path& file) {
  return as_matrix(parse_npy(file.string(), read_file(file)));
}

std::string npy_bytes(const Eigen::MatrixXd& matrix) {
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}",
                                   matrix.rows(), matrix.cols());
  const std::size_t before = 10;  // magic, version, length
  header.append(63 - (before + header.size()) % 64, ' ');
  header += '\n';
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size() % 256);
  result += static_cast<char>(header.size() / 256);
  result += header;
  const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> by_rows = matrix;
  result.append(reinterpret_cast<const char*>(by_rows.data()), static_cast<std::size_t>(by_rows.size()) * 8);
  return result;
}

}  // namespace nngpcheck::files
