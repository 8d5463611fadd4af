// Vector types for the leaf files simd_*.cpp. In an unnamed namespace: each of them is compiled for another
// instruction set and must keep its code to itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {
namespace {

/// Of `bytes` bytes each.
template <int bytes>
struct Vectors {
  typedef std::uint64_t Integers __attribute__((vector_size(bytes)));
  typedef double Doubles __attribute__((vector_size(bytes)));
  typedef float Floats __attribute__((vector_size(bytes)));
};

}  // namespace
}  // namespace nngpcheck::empirical
