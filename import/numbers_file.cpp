#include "nngpcheck/import/numbers_file.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::importer {

namespace {

static_assert(std::endian::native == std::endian::little);

[[noreturn]] void fail(const std::string& name, const std::string& problem) {
  throw InputError(name + ": " + problem + "; export the model again");
}

/// The number of axis lengths between the parentheses behind 'shape'.
std::vector<std::int64_t> shape_of(std::string_view header, const std::string& name) {
  const std::size_t key = header.find("'shape'");
  const std::size_t open = key == std::string_view::npos ? key : header.find('(', key);
  const std::size_t close = open == std::string_view::npos ? open : header.find(')', open);
  if (close == std::string_view::npos) fail(name, "an npy header without a shape");
  std::vector<std::int64_t> result;
  const char* at = header.data() + open + 1;
  const char* const end = header.data() + close;
  while (at < end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::int64_t length = 0;
    const auto [next, error] = std::from_chars(at, end, length);
    if (error != std::errc() || length < 0 || length > (std::int64_t{1} << 32) || result.size() > 16)
      fail(name, "an npy header with a wrong shape");
    result.push_back(length);
    at = next;
  }
  return result;
}

template <class Number>
void convert(const char* bytes, std::vector<double>& values) {
  for (std::size_t k = 0; k < values.size(); ++k) {
    Number number;
    std::memcpy(&number, bytes + k * sizeof(Number), sizeof(Number));
    values[k] = static_cast<double>(number);
  }
}

}  // namespace

Numbers parse_numbers(const std::string& name, const std::string& bytes) {
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) fail(name, "it is no npy file");
  const auto byte = [&](std::size_t k) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[k]));
  };
  const std::size_t start = byte(6) == 1 ? 10 : 12;
  const std::size_t length =
      byte(6) == 1 ? byte(8) + 256 * byte(9) : byte(8) + 256 * (byte(9) + 256 * (byte(10) + 256 * byte(11)));
  if (byte(6) < 1 || byte(6) > 3 || length > bytes.size() - start) fail(name, "a damaged npy header");
  const std::string_view header = std::string_view(bytes).substr(start, length);
  if (header.find("'fortran_order': False") == std::string_view::npos) fail(name, "not in C order");
  Numbers result;
  result.shape = shape_of(header, name);
  std::size_t count = 1;
  for (const std::int64_t axis : result.shape) {
    count *= static_cast<std::size_t>(axis);
    if (count > bytes.size()) fail(name, "it is shorter than its header says");
  }
  const auto is = [&](const char* type) { return header.find(type) != std::string_view::npos; };
  const std::size_t size = is("'<f8'") || is("'<i8'")   ? 8
                           : is("'<f4'")                ? 4
                           : is("'|b1'") || is("'|u1'") ? 1
                                                        : 0;
  if (size == 0) fail(name, "numbers of a type that archives do not have");
  if (bytes.size() - start - length != size * count) fail(name, "it is not as long as its header says");
  result.values.resize(count);
  const char* data = bytes.data() + start + length;
  if (is("'<f8'")) convert<double>(data, result.values);
  if (is("'<f4'")) convert<float>(data, result.values);
  if (is("'<i8'")) convert<std::int64_t>(data, result.values);
  if (size == 1) convert<unsigned char>(data, result.values);
  for (const double value : result.values)
    if (std::isnan(value)) fail(name, "a number that is not finite (NaN)");
  return result;
}

}  // namespace nngpcheck::importer
