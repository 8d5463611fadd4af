#include "nngpcheck/files/array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

using Eigen::Index;
using Kind = NumberType::Kind;

/// The number of type T in these bytes, in the order given.
template <class T>
T stored(const char* bytes, std::endian order) {
  std::array<char, sizeof(T)> native;
  std::memcpy(native.data(), bytes, sizeof(T));
  if (order != std::endian::native) std::reverse(native.begin(), native.end());
  return std::bit_cast<T>(native);
}

template <class T>
double as_double(const char* bytes, std::endian order) {
  return static_cast<double>(stored<T>(bytes, order));
}

double half(const char* bytes, std::endian order) {
  return Eigen::half_impl::half_to_float(
      Eigen::half_impl::raw_uint16_to_half(stored<std::uint16_t>(bytes, order)));
}

double truth(const char* bytes, std::endian) { return *bytes != 0; }

using Read = double (*)(const char*, std::endian);

Read reader(const NumberType& type) {
  const int size = std::countr_zero(type.bytes);  // 1, 2, 4, 8 bytes: 0 to 3
  const Read signed_ones[] = {as_double<std::int8_t>, as_double<std::int16_t>, as_double<std::int32_t>,
                              as_double<std::int64_t>};
  const Read unsigned_ones[] = {as_double<std::uint8_t>, as_double<std::uint16_t>, as_double<std::uint32_t>,
                                as_double<std::uint64_t>};
  switch (type.kind) {
    case Kind::boolean:
      return truth;
    case Kind::signed_integer:
      return signed_ones[size];
    case Kind::unsigned_integer:
      return unsigned_ones[size];
    default:
      return size == 1 ? half : size == 2 ? as_double<float> : as_double<double>;
  }
}

/// Where each number of a sample lies behind the sample's first byte, last axis fastest.
std::vector<std::size_t> offsets_in_sample(const Array::Shape& shape,
                                           const std::vector<std::size_t>& strides) {
  std::vector<std::size_t> result = {0};
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    std::vector<std::size_t> next;
    next.reserve(result.size() * static_cast<std::size_t>(shape[axis]));
    for (const std::size_t start : result) {
      for (Index k = 0; k < shape[axis]; ++k)
        next.push_back(start + static_cast<std::size_t>(k) * strides[axis]);
    }
    result = std::move(next);
  }
  return result;
}

}  // namespace

std::string NumberType::name() const {
  const std::string bits = std::to_string(8 * bytes);
  switch (kind) {
    case Kind::boolean:
      return "bool";
    case Kind::signed_integer:
      return "int" + bits;
    case Kind::unsigned_integer:
      return "uint" + bits;
    default:
      return "float" + bits;
  }
}

double NumberType::epsilon() const {
  if (kind == Kind::floating && bytes == 2) return 0x1p-10;
  if (kind == Kind::floating && bytes == 4) return std::numeric_limits<float>::epsilon();
  return std::numeric_limits<double>::epsilon();
}

std::string shape_text(const Array::Shape& shape) {
  return shape.size() == 1 ? fmt::format("({},)", shape[0]) : fmt::format("({})", fmt::join(shape, ", "));
}

Array Array::dense(std::string name, std::string bytes, std::size_t offset, NumberType type,
                   const std::vector<std::uint64_t>& shape, bool fortran) {
  const std::string claim = fmt::format("({})", fmt::join(shape, ", "));
  if (shape.empty()) throw InputError(name + ": a single number; save an array with one row per input");
  // Dividing instead of multiplying: the claim may overflow.
  const std::size_t size = bytes.size() - offset;
  std::uint64_t rest = size / type.bytes;
  bool fits = size % type.bytes == 0;
  for (const std::uint64_t length : shape) {
    if (length == 0)
      throw InputError(
          fmt::format("{}: an empty array of shape {}; give at least one row and one column", name, claim));
    fits = fits && rest % length == 0;
    rest /= length;
  }
  if (!fits || rest != 1) {
    throw InputError(
        fmt::format("{}: its header claims {} numbers of type {}, but the file holds {} bytes of them", name,
                    claim, type.name(), size));
  }
  Place place{offset, std::vector<std::size_t>(shape.size())};
  std::size_t stride = type.bytes;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    const std::size_t axis = fortran ? k : shape.size() - 1 - k;
    place.strides[axis] = stride;
    stride *= shape[axis];
  }
  return {std::move(name), std::move(bytes), type, Shape(shape.begin(), shape.end()), std::move(place)};
}

Array::Array(std::string name, std::string bytes, NumberType type, Shape shape, Place place)
    : name_(std::move(name)),
      bytes_(std::move(bytes)),
      type_(type),
      shape_(std::move(shape)),
      place_(std::move(place)) {}

std::string Array::shape_text() const { return files::shape_text(shape_); }

Eigen::MatrixXd Array::samples(Index first, Index count) const {
  const Read read = reader(type_);
  const std::vector<std::size_t> offsets = offsets_in_sample(shape_, place_.strides);
  Eigen::MatrixXd result(std::ssize(offsets), count);
  for (Index j = 0; j < count; ++j) {
    const char* sample =
        bytes_.data() + place_.offset + static_cast<std::size_t>(first + j) * place_.strides[0];
    for (Index i = 0; i < result.rows(); ++i) {
      result(i, j) = read(sample + offsets[static_cast<std::size_t>(i)], type_.order);
    }
    if (!result.col(j).allFinite()) {
      throw InputError(
          fmt::format("{}: row {} (from 0) holds a number that is not finite", name_, first + j));
    }
  }
  return result;
}

}  // namespace nngpcheck::files
