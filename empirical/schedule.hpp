// What to compute, in which order, and how long to keep it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "empirical/sampler.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::empirical {

/// One instruction that the output depends on.
struct Step {
  std::size_t node;
  std::vector<std::size_t> release;  // values that nothing reads afterwards
};

/// Where a weight matrix lies while it is needed: weights of equal size whose needs do not overlap share a
/// slot.
struct Placement {
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  std::size_t slot = nowhere;  // nowhere: no instruction reads the weight
  std::size_t first_step = 0;  // where it must be drawn
  std::int64_t uses = 0;       // vectors that it is applied to
  bool exact = false;          // the slot holds an ExactProduct's numbers, in float64
};

/// The plan of one network at one width.
struct Schedule {
  std::int64_t width;              // the base width n
  std::vector<Step> steps;         // a prefix order of the program, without what the output does not need
  std::vector<Placement> weights;  // one per weight of the program
  // Counts of numbers stored. Not integers, since a product of widths may exceed them.
  std::vector<double> slot_size;
  std::vector<bool> slot_exact;
  double peak_numbers;   // in slots of matrices, bundles and temporaries at once, at most
  double exact_numbers;  // in the other slots
};

/// Throws netsor::ProgramError if a width that is needed is no integer at n = width.
Schedule schedule(const netsor::Program& program, std::int64_t width, Products products);

}  // namespace nngpcheck::empirical
