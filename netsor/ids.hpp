// Typed identifiers: an id of one kind cannot be passed for another, and knows which program it is from.
#pragma once

#include <cstdint>

namespace nngpcheck::netsor {

/// Names one object of the given kind in one program. Compares by value.
template <class Kind>
class Id {
 public:
  Id(std::uint32_t program, std::uint32_t index) : program_(program), index_(index) {}

  /// The position in the program's list of such objects (of instructions, for bundles and tables).
  std::uint32_t index() const { return index_; }

  /// The serial number of the builder that made it.
  std::uint32_t program() const { return program_; }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::uint32_t program_;
  std::uint32_t index_;
};

using InputWeightId = Id<struct InputWeightKind>;  ///< U, entries N(0, σ²/d)
using WeightId = Id<struct WeightKind>;            ///< W, entries N(0, σ²/n_in)
using BiasId = Id<struct BiasKind>;                ///< b, entries N(μ, σ²)
using ReadoutId = Id<struct ReadoutKind>;          ///< v, entries N(0, σ²)
using BundleId = Id<struct BundleKind>;            ///< X ∈ R^{n×m}
using TableId = Id<struct TableKind>;              ///< T ∈ R^{a×b}

}  // namespace nngpcheck::netsor
