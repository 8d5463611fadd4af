// What one network of a schedule costs.
#pragma once

#include <cstddef>
#include <map>

#include "nngpcheck/empirical/interpreter/costs.hpp"
#include "nngpcheck/empirical/interpreter/schedule.hpp"

namespace nngpcheck::empirical {

/// In multiply-adds of simd().combine.
struct UnitCosts {
  double normal = normal_cost;  // one number
  double pass = 2;              // one number that is read and written
  double call = 4000;           // of LibTorch, whatever its size
  /// One value of a function, by the instruction that maps; of others `function`.
  std::map<std::size_t, double> functions = {};
  double function = 16;
};

/// In multiply-adds, as in costs.hpp; arguments are taken for distinct.
double network_cost(const netsor::Program& program, const Schedule& schedule, const UnitCosts& unit);

/// What things take on this machine, on one thread and out of its inner caches: measured when made, in some
/// hundredths of a second.
struct NetworkClock {
  explicit NetworkClock(const netsor::Program& program);
  double seconds_per_multiply_add = 0;
  UnitCosts unit;
};

}  // namespace nngpcheck::empirical
