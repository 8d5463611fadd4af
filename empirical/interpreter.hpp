// Runs a program on batches of random networks.
#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>
#include <map>
#include <vector>

#include "empirical/draws.hpp"
#include "empirical/exact_product.hpp"
#include "empirical/mixer.hpp"
#include "empirical/sampler.hpp"
#include "empirical/schedule.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::empirical {

/// One thread's evaluator. Bundles of all networks of a batch are one tensor [columns, networks, n]; tables
/// are small and stay on the CPU in float64, one per network. Weight matrices are allocated once. Expects
/// at::set_num_threads(1).
class Interpreter {
 public:
  /// For at most `capacity` networks at once. Keeps references to the program and its schedule.
  Interpreter(const netsor::Program& program, const Schedule& schedule, Precision precision,
              at::Device device, std::int64_t capacity);

  /// The output blocks X_b of these networks, [columns, count, n_b]. Precondition: networks.count ≤ capacity,
  /// networks.width is the schedule's.
  std::vector<at::Tensor> outputs(const Networks& networks);

  /// Their kernels (σ_v²/Σ n_b) Σ_b X_bᵀX_b, exactly symmetric.
  std::vector<Eigen::MatrixXd> kernels(const Networks& networks);

 private:
  using Tables = std::vector<Eigen::MatrixXd>;

  at::Tensor run(const netsor::Input& operation);
  at::Tensor run(const netsor::BiasColumn& operation);
  at::Tensor run(const netsor::Ones& operation);
  at::Tensor run(const netsor::MatMul& operation);
  at::Tensor run(const netsor::Mix& operation);
  at::Tensor run(const netsor::TableMix& operation);
  at::Tensor run(const netsor::Add& operation);
  at::Tensor run(const netsor::Scale& operation);
  at::Tensor run(const netsor::Map& operation);
  at::Tensor run(const netsor::Mul& operation);
  at::Tensor run(const netsor::Max& operation);
  at::Tensor run(const netsor::Standardize& operation);
  Tables run(const netsor::Constant& operation);
  Tables run(const netsor::Gram& operation);
  Tables run(const netsor::Mean& operation);
  Tables run(const netsor::Apply& operation);

  const at::Tensor& bundle(netsor::BundleId id) const { return bundles_[id.index()]; }
  at::Tensor network(netsor::BundleId id, std::int64_t b) const { return bundle(id).select(1, b); }
  const Tables& table(netsor::TableId id) const { return tables_[id.index()]; }
  at::Tensor drawn(const RandomObject& object);
  at::Tensor weight_matrices(netsor::WeightId id);
  at::Tensor exact_products(const netsor::MatMul& operation);
  template <class PerNetwork>
  Tables for_each_network(const PerNetwork& per_network) const;

  const netsor::Program& program_;
  const Schedule& schedule_;
  at::TensorOptions options_;
  std::vector<at::Tensor> slots_;    // weights, on the device
  std::vector<at::Tensor> staging_;  // where they are drawn: the same tensors if the device is the CPU
  std::vector<at::Tensor> bundles_;  // by instruction
  std::vector<Tables> tables_;       // by instruction, then by network
  std::map<std::size_t, std::vector<Mixer>> mixers_;        // by instruction
  std::map<std::size_t, std::vector<ExactProduct>> exact_;  // by weight, then by network
  Networks networks_{};                                     // of the current batch
  std::size_t step_ = 0;                                    // the current one
};

}  // namespace nngpcheck::empirical
