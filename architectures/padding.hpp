// What a window reads beyond the ends of a grid.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace nngpcheck::architectures {

/// Along an axis of L positions, a window spans s = dilation·(kernel - 1) + 1 of them. `total` positions are
/// added, `left` of them before the first.
class Padding {
 public:
  enum class Kind {
    valid,  // total = 0; ⌊(L - s)/stride⌋ + 1 outputs
    zero,   // total = s - 1 zeros, left = ⌊total/2⌋: keeps the size at stride 1; ⌈L/stride⌉ outputs
    circular,  // the same, of the grid's other end instead of zeros
    same,  // TensorFlow's rule: the fewest zeros that ⌈L/stride⌉ outputs need, left = ⌊total/2⌋; `zero` at
           // stride 1
    sizes,  // as many zeros at either end, of each axis or of all; ⌊(L + total - s)/stride⌋ + 1 outputs
  };

  /// By the kind's name in either case ("SAME"), or sizes from 0 to largest_count.
  /// Throws ArchitectureError, with the key "padding", for anything else.
  Padding(const char* word) : Padding(std::string(word)) {}
  Padding(const std::string& word);
  Padding(std::vector<std::int64_t> sizes);
  Padding(std::initializer_list<std::int64_t> sizes) : Padding(std::vector<std::int64_t>(sizes)) {}

  Kind kind() const { return kind_; }

  /// One entry, or one per axis; empty for other kinds.
  const std::vector<std::int64_t>& sizes() const { return sizes_; }

  /// "zero", "1", "[1, 2]".
  std::string text() const;

  /// "valid|zero|circular|same|integers".
  static std::string choices();

  friend bool operator==(const Padding&, const Padding&) = default;

 private:
  Kind kind_ = Kind::sizes;
  std::vector<std::int64_t> sizes_;
};

}  // namespace nngpcheck::architectures
