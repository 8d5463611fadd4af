// Products with Gaussian matrices that are never drawn.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "nngpcheck/empirical/interpreter/coordinates.hpp"
#include "nngpcheck/empirical/random/normals.hpp"

namespace nngpcheck::empirical {

/// One matrix W ∈ R^{rows×columns}, iid N(0, deviation²), in one network.
struct GaussianMatrix {
  NormalStream stream;
  std::int64_t rows;
  double deviation;
  double* images;  // room for the images of the basis, one after the other; null: drawn anew when needed
  double* matrix;  // room for W itself, row by row; null: never formed
};

/// Σ_k c_jk b_k in row j of Y, for b_k = W q_k: iid Gaussian columns, element i of b_k number k·rows + i of
/// the stream, times deviation. Images before `drawn` are taken from w.images, the others drawn and, if there
/// is room, put there. Column j of c has the coordinates of the j-th argument.
void combine_images(const GaussianMatrix& w, std::int64_t drawn, const Eigen::MatrixXd& c, Rows<double> y);

/// What one network's products of several weights W_1, W_2, … with the same arguments have in common. For an
/// orthonormal basis q_1..q_k of all arguments so far,
///
///     x = Σ c_i q_i,   W_w x = Σ c_i b_wi,   b_wi = W_w q_i ~ N(0, deviation² I), all independent.
///
/// The law of all products is that of drawn matrices, at every width and whatever the arguments: q_i is fixed
/// before b_wi is drawn. Time and memory are O((rows + columns)·k) instead of O(rows·columns).
///
/// With a `switch_rank`, arguments after the one at which the rank has reached it are multiplied by the
/// matrix itself, which has the law of W given its images (B in the columns of W Q):
///
///     W = B Qᵀ + Z (1 - Q Qᵀ),   Z iid N(0, deviation²), row i of Z numbers (K + i)·columns, … of the
///     stream, where K·columns is the first number that no image can have.
class ExactProducts {
 public:
  struct Arguments {
    std::int64_t dimension;    // columns of the weights
    std::int64_t uses;         // vectors in all
    bool once;                 // all of them in one bundle
    std::int64_t switch_rank;  // more than uses: never
    Coordinates::Rules rules = {};
  };

  /// `basis` has room for GramSchmidt::storage_size(dimension, uses) numbers and is read until the last
  /// product, or only during the first one if `once`. Keeps the pointers.
  ExactProducts(const Arguments& arguments, double* basis, std::vector<GaussianMatrix> weights);

  /// Row j of y = W_weight times row j of x, for the bundle that `argument` names.
  void apply(std::size_t weight, std::size_t argument, Rows<const double> x, Rows<double> y);

 private:
  const std::optional<Eigen::MatrixXd>& coordinates(std::size_t argument, Rows<const double> x);
  void form_matrix(std::size_t weight);

  Arguments arguments_;
  Coordinates basis_;
  std::vector<GaussianMatrix> weights_;
  std::vector<std::int64_t> drawn_;  // images of each weight
  std::vector<bool> formed_;
  std::map<std::size_t, std::optional<Eigen::MatrixXd>> coordinates_;  // nothing: by the matrix
};

}  // namespace nngpcheck::empirical
