// Where everything that a network needs lies in one buffer.
#pragma once

#include <cstddef>
#include <vector>

namespace nngpcheck::empirical {

/// Bytes of the buffer that are needed from step `first` to step `last`. Not integers: a product of widths
/// may exceed them.
struct Region {
  std::size_t first = 0, last = 0;
  double bytes = 0;   // place() rounds it up to a multiple of region_alignment
  double offset = 0;  // set by place(), a multiple of region_alignment
};

inline constexpr double region_alignment = 512;

/// Gives regions that are needed at the same time disjoint places, first fit in the order of their first
/// steps. Returns the size of the buffer.
double place(const std::vector<Region*>& regions);

}  // namespace nngpcheck::empirical
