// Which sums of products are drawn at once.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "nngpcheck/empirical/interpreter/product_sums.hpp"
#include "nngpcheck/empirical/sampler.hpp"

namespace nngpcheck::empirical {

using Sums = std::map<std::size_t, ProductSum>;  // by instruction

/// Those for which that is cheaper than what `products` allows else, and possible: the sum of so many columns
/// is of products with at least as many dimensions, for else its Gram matrix is singular. Sums of more than
/// one product with data always, for their coordinates are computed once. With Products::dense none.
Sums chosen_sums(const netsor::Program& program, const std::vector<bool>& needed, std::int64_t width,
                 Products products);

/// The bundles X_k of a sum, and for each of their columns whether it is read; none for data.
std::map<std::size_t, std::vector<bool>> sources_of(const ProductSum& sum);

/// The first matrix, a constant.
const netsor::SparseMatrix& first_matrix(const ProductTerm& term);

}  // namespace nngpcheck::empirical
