// Runs a program on batches of random networks.
#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>
#include <map>
#include <set>
#include <vector>

#include "nngpcheck/empirical/exact/exact_products.hpp"
#include "nngpcheck/empirical/exact/mixer.hpp"
#include "nngpcheck/empirical/exact/summed_products.hpp"
#include "nngpcheck/empirical/interpreter/draws.hpp"
#include "nngpcheck/empirical/interpreter/schedule.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

/// One thread's evaluator. Bundles of all networks of a batch are one tensor [columns, networks, n]; tables
/// are small and stay on the CPU in float64, one per network. Everything large lies in one buffer, allocated
/// once, where the schedule says. Expects at::set_num_threads(1).
class Interpreter {
 public:
  /// For at most `capacity` networks at once. Keeps references to the program and its schedule.
  Interpreter(const netsor::Program& program, const Schedule& schedule, Precision precision,
              at::Device device, std::int64_t capacity);

  /// Runs the program on these networks; what follows is theirs, until the next call. Precondition:
  /// networks.count ≤ capacity, networks.width is the schedule's.
  void evaluate(const Networks& networks);

  /// The output blocks X_b, [columns, count, n_b].
  std::vector<at::Tensor> blocks() const;

  /// The kernels (σ_v²/Σ n_b) Σ_b X_bᵀX_b, exactly symmetric.
  std::vector<Eigen::MatrixXd> kernels() const;

  /// The outputs Σ_b X_bᵀv_b/√(Σ n_b), v ~ N(0, σ_v²), reduced in float64.
  std::vector<Eigen::VectorXd> outputs() const;

 private:
  using Tables = std::vector<Eigen::MatrixXd>;

  // Each writes its bundle, or returns its tables.
  void run(const netsor::Input& operation, at::Tensor& result);
  void run(const netsor::BiasColumn& operation, at::Tensor& result);
  void run(const netsor::Ones& operation, at::Tensor& result);
  void run(const netsor::MatMul& operation, at::Tensor& result);
  void run(const netsor::Mix& operation, at::Tensor& result);
  void run(const netsor::TableMix& operation, at::Tensor& result);
  void run(const netsor::Add& operation, at::Tensor& result);
  void run(const netsor::Scale& operation, at::Tensor& result);
  void run(const netsor::Map& operation, at::Tensor& result);
  void run(const netsor::Mul& operation, at::Tensor& result);
  void run(const netsor::Max& operation, at::Tensor& result);
  void run(const netsor::Nonlin& operation, at::Tensor& result);
  void run(const netsor::Standardize& operation, at::Tensor& result);
  Tables run(const netsor::Constant& operation);
  Tables run(const netsor::Gram& operation);
  Tables run(const netsor::Mean& operation);
  Tables run(const netsor::Apply& operation);

  void lay_out(std::int64_t networks);
  void find_diagonals();
  void find_input_coordinates();
  const at::Tensor& bundle(netsor::BundleId id) const { return bundles_[id.index()]; }
  const Tables& table(netsor::TableId id) const { return tables_[id.index()]; }
  at::Tensor place(const Region& region, at::ScalarType type, at::IntArrayRef shape, double offset = 0) const;
  double* share(const Region& region, std::int64_t b) const;
  at::Tensor native_result(const Region& scratch, const at::Tensor& result) const;
  void draw_into(const RandomObject& object, at::Tensor& target);
  at::Tensor weight_matrices(netsor::WeightId id);
  std::vector<ExactProducts> exact_group(const Group& group);
  void add_terms(const std::vector<netsor::Add::Term>& terms, bool begun, at::Tensor& result);
  void add_bundles(const std::vector<netsor::Add::Term>& terms, bool begun, at::Tensor& result);
  void multiply_exactly(const netsor::MatMul& operation, at::Tensor& result);
  void run_sum(std::size_t sum, at::Tensor& result);
  void read_source(std::size_t index, const Region& room);
  Rows<const double> source_columns(const SourcePlan& source, const Region& room, std::int64_t b) const;
  Eigen::Map<Eigen::MatrixXd> source_gram(const SourcePlan& source, std::int64_t b) const;
  Eigen::MatrixXd input_sum_coordinates(const ProductSum& sum) const;
  RandomObject object(const ProductTerm& term) const;
  netsor::SharedSparse matrix(const ProductTerm& term, std::int64_t b) const;
  void draw_sum(std::size_t sum, std::int64_t b, Rows<double> y);
  void draw_apart(const SumPlan& plan, const std::vector<netsor::SharedSparse>& matrices, std::int64_t b,
                  Rows<double> y);
  template <class PerNetwork>
  Tables for_each_network(const PerNetwork& per_network) const;

  const netsor::Program& program_;
  const Schedule& schedule_;
  std::int64_t capacity_;
  at::TensorOptions options_;
  at::Tensor buffer_;
  std::vector<at::Tensor> bundles_;      // by instruction, in the buffer; of networks_.count networks
  std::vector<at::Tensor> padded_;       // the same as flat tensors of a multiple of vector_multiple numbers
  std::vector<Tables> tables_;           // by instruction, then by network
  std::set<std::size_t> diagonals_;      // instructions
  std::map<std::size_t, Mixer> mixers_;  // by instruction
  std::map<std::size_t, Eigen::MatrixXd> input_coordinates_;  // by instruction
  std::vector<std::vector<ExactProducts>> groups_;            // by group of the schedule, then by network
  std::vector<Eigen::MatrixXd> input_sums_;                   // by sum of the schedule: of data
  std::vector<std::vector<Copies>> copies_;                   // by source of the schedule, then by network
  Networks networks_{};                                       // of the current batch
  std::size_t step_ = 0;                                      // the current one
};

}  // namespace nngpcheck::empirical
