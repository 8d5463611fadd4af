// Which parts of a program are sums of products with weights that are used nowhere else.
#pragma once

#include <cstddef>
#include <variant>
#include <vector>

#include "nngpcheck/netsor/passes/traits.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

/// W X M, or U D M. M is the product of the matrices, from the left; the first is a constant, and
/// neighbouring constants are one.
struct ProductTerm {
  using Matrix = std::variant<netsor::SharedSparse, netsor::LinearTerm::Table, netsor::LinearTerm::Diagonal>;
  std::variant<netsor::WeightId, netsor::InputWeightId> weight;
  netsor::BundleId bundle;  // X, or U D
  std::vector<Matrix> matrices;
};

/// The value of an instruction, Σ_k W_k X_k M_k + Σ_l c_l Y_l: no W_k is read by anything else, and nothing
/// on the way from W_k X_k to the sum is. So given the X_k, the tables in M_k and the Y_l, the W_k are as
/// before they were used. Or the same of input weights and constants, Σ_k U_k D_k M_k + Σ_l c_l Y_l.
struct ProductSum {
  std::size_t node;
  std::vector<ProductTerm> terms;
  std::vector<netsor::Add::Term> rest;  // c_l Y_l, if the instruction is an Add

  bool of_inputs() const { return std::holds_alternative<netsor::InputWeightId>(terms.front().weight); }
};

/// All of them, each as large as possible, among the instructions that are needed, in order. A single product
/// is one, too.
std::vector<ProductSum> product_sums(const netsor::Program& program, const std::vector<bool>& needed);

}  // namespace nngpcheck::empirical
