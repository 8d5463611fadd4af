// What a network is applied to.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace nngpcheck::architectures {

/// A finite set of inputs: m columns of dimension d. For sequences a column is a token and the columns of one
/// sequence stand together, in order of position.
struct Inputs {
  Eigen::MatrixXd data;               // d×m
  std::vector<Eigen::Index> lengths;  // of each sequence, Σ = m; empty for plain vectors
  std::vector<std::string> labels;    // one per column, distinct: "3" for a vector, "0:5 the" for a token

  Eigen::Index count() const { return data.cols(); }
  Eigen::Index dimension() const { return data.rows(); }
};

/// Throws ArchitectureError unless the inputs are as stated above, with at least one column and row.
void validate(const Inputs& inputs);

}  // namespace nngpcheck::architectures
