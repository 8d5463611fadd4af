// Arrays of numbers as files hold them, whatever the file's format.
#pragma once

#include <Eigen/Core>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

namespace nngpcheck::files {

/// How a number is stored.
struct NumberType {
  enum class Kind { boolean, signed_integer, unsigned_integer, floating };
  Kind kind = Kind::floating;
  std::size_t bytes = 8;  // floating: 2, 4 or 8; boolean: 1; integers: 1, 2, 4 or 8
  std::endian order = std::endian::little;

  /// As NumPy calls it: "uint8", "float32".
  std::string name() const;

  /// The distance from 1 to the next number; 2⁻⁵² for integers, which become doubles.
  double epsilon() const;
};

/// An array of k ≥ 1 axes of numbers; the first axis counts samples. The bytes stay as the file has them, and
/// become doubles (rounded to the nearest, which only 64-bit integers need) when samples are taken.
class Array {
 public:
  using Shape = std::vector<Eigen::Index>;

  /// Where the numbers lie: the first one, and the distance in bytes between neighbours along each axis.
  struct Place {
    std::size_t offset = 0;
    std::vector<std::size_t> strides;
  };

  /// Throws InputError, naming the file, for no axis, for an axis of length 0, and unless the file holds
  /// exactly the numbers that the shape claims, from `offset` to its end. `fortran`: the first axis varies
  /// fastest.
  static Array dense(std::string name, std::string bytes, std::size_t offset, NumberType type,
                     const std::vector<std::uint64_t>& shape, bool fortran = false);

  /// Precondition: all numbers lie within the bytes.
  Array(std::string name, std::string bytes, NumberType type, Shape shape, Place place);

  const std::string& name() const { return name_; }
  const NumberType& type() const { return type_; }
  const Shape& shape() const { return shape_; }
  Eigen::Index count() const { return shape_.front(); }
  /// The axes of one sample: all but the first.
  Shape sample_shape() const { return {shape_.begin() + 1, shape_.end()}; }
  /// "(16, 32)".
  std::string shape_text() const;

  /// The samples first, …, first + count - 1 as columns, each with its last axis fastest. Throws InputError
  /// for a number that is not finite. Precondition: 0 ≤ first, 0 ≤ count, first + count ≤ this->count().
  Eigen::MatrixXd samples(Eigen::Index first, Eigen::Index count) const;

 private:
  std::string name_;
  std::string bytes_;
  NumberType type_;
  Shape shape_;
  Place place_;
};

/// "(16, 32)", "(3,)".
std::string shape_text(const Array::Shape& shape);

}  // namespace nngpcheck::files
