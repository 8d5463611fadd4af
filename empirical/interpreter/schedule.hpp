// What to compute, in which order, and where it lies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nngpcheck/empirical/exact/exact_products.hpp"
#include "nngpcheck/empirical/exact/regions.hpp"
#include "nngpcheck/empirical/interpreter/product_sums.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

inline constexpr std::size_t none = static_cast<std::size_t>(-1);

/// One instruction that the output depends on.
struct Step {
  std::size_t node;
  std::size_t sum = none;  // of the sums, if its value is one
  Region value = {};       // its bundle, until nothing reads it any more; empty for a table
  Region scratch = {};     // what computing it needs besides
};

/// How products with one weight are drawn.
struct WeightPlan {
  std::size_t group = none;    // of the groups: exactly; none: by the matrix
  std::size_t member = 0;      // its place there
  std::size_t first_step = 0;  // of the steps that read it; none does if there is no region either
  Region matrix;               // W, if it is drawn, or may be formed later
  Region images;               // see GaussianMatrix, in float64
};

/// Weights that are drawn exactly and have the same arguments: they share a basis.
struct Group {
  ExactProducts::Arguments arguments;
  std::vector<std::size_t> weights;
  std::size_t first_step = 0;
  Region basis;  // in float64
};

/// XᵀX of those columns of a bundle that sums read.
struct SourcePlan {
  netsor::BundleId bundle;  // X
  std::vector<netsor::Index> columns;
  std::size_t first_step = 0;
  Region gram;
};

/// A sum of products that is drawn at once, by its coordinates: those of the data, which are always the same,
/// or see summed_coordinates.
struct SumPlan {
  ProductSum sum;                    // the rows of each term's first matrix are the columns of its source
  std::vector<std::size_t> sources;  // of each term; none for data
  Region native;                     // the sum in float64, if networks are in float32
  Region argument;                   // some columns of X side by side, in float64
  Region basis, image;               // if products are drawn one by one, all the same
};

/// The plan of one network at one width.
struct Schedule {
  std::int64_t width;  // the base width n
  bool exact_inputs;   // products of input weights are drawn through their data's coordinates
  /// In the order of the program, without what the output does not need or what is part of a sum.
  std::vector<Step> steps;
  /// By instruction: a Mix that is read by one Add alone, which adds its columns in place. So bundles are put
  /// together without copies that are mostly zeros.
  std::vector<bool> part_of_sum;
  std::vector<WeightPlan> weights;  // one per weight of the program
  std::vector<Group> groups;
  std::vector<SourcePlan> sources;
  std::vector<SumPlan> sums;
  double buffer_bytes = 0;     // that all regions take together
  double temporary_bytes = 0;  // that LibTorch takes besides, at most
};

/// Throws netsor::ProgramError if a width that is needed is no integer at n = width.
Schedule schedule(const netsor::Program& program, std::int64_t width, Products products, Precision precision);

}  // namespace nngpcheck::empirical
