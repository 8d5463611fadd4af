// What ways to draw products cost, in multiply-adds of simd().combine (bench/sampler_times).
#pragma once

#include <cstdint>

#include "nngpcheck/empirical/exact/exact_products.hpp"

namespace nngpcheck::empirical {

/// Of a normal number; of a step of Cholesky's factorization; of an entry of a shifted Gram matrix; of a cube
/// of columns when Coordinates are computed from a Gram matrix.
inline constexpr double normal_cost = 8, pivot_cost = 2, gather_cost = 8, coordinates_cost = 2;

inline double area(std::int64_t left, std::int64_t right) {
  return static_cast<double>(left) * static_cast<double>(right);
}

/// Of products with one weight of so many rows: by its matrix; given the coordinates of the arguments.
double dense_cost(std::int64_t rows, const ExactProducts::Arguments& of);
double images_cost(std::int64_t rows, const ExactProducts::Arguments& of, double of_normal = normal_cost);

/// Of the coordinates. If the basis must be formed, about three reads of it, each for a product and a
/// projection; where the arguments are kept (see Coordinates) it is less, where they come at once, a Gram
/// matrix.
double basis_cost(const ExactProducts::Arguments& of);

}  // namespace nngpcheck::empirical
