// The random objects of networks, as tensors on the CPU.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "nngpcheck/empirical/random/normals.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

/// Which networks: indices first, …, first + count - 1 at base width `width`.
struct Networks {
  std::int64_t width;
  std::uint64_t seed;
  std::uint64_t first;
  std::int64_t count;
};

/// The distribution of one random object, and the name that keys it.
struct RandomObject {
  std::string name;
  std::int64_t rows;
  std::int64_t columns;
  double mean;
  double deviation;
};

/// Entries N(0, variance/inputs), N(0, variance/columns at that width) and N(mean, variance).
RandomObject random_object(const netsor::InputWeight& weight, std::int64_t width);
RandomObject random_object(const netsor::Weight& weight, std::int64_t width);
RandomObject random_object(const netsor::Bias& bias, std::int64_t width);

/// Fills target[count, rows, columns] (float32 or float64, contiguous): entry (i, j) of network b is number
/// i·columns + j of its normal stream.
void draw(const RandomObject& object, const Networks& networks, at::Tensor& target);

/// The stream of an ExactProduct for that weight of network first + b: another one than draw()'s.
NormalStream exact_stream(const RandomObject& object, const Networks& networks, std::int64_t b);

/// The stream of a sum of products of which that weight's is the first: another one again.
NormalStream sum_stream(const RandomObject& object, const Networks& networks, std::int64_t b);

}  // namespace nngpcheck::empirical
