// Kernels of random networks of finite width.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::empirical {

/// A network that cannot be sampled as asked. The message names the device, the width or the network, the
/// problem and the remedy.
class SamplerError : public Error {
 public:
  explicit SamplerError(const std::string& message) : Error(Kind::sampling, message) {}
};

/// How products with weight matrices are drawn. Networks have the same law in all, but dense and exact draw
/// from different streams.
enum class Products {
  dense,      // by the matrix: O(n²) a product
  exact,      // without it, at O(n k) for the k-th vector that one weight is applied to; CPU only
  automatic,  // for each weight the cheaper of the two, a function of program, width and device
};

/// How weights and activations are stored. A network is the same in both: float32 rounds the weights of
/// float64. Kernels and tables are reduced in float64 either way.
enum class Precision { float32, float64 };

struct SamplerOptions {
  Precision precision = Precision::float64;
  Products products = Products::automatic;
  /// "cpu", or a device of LibTorch such as "cuda" or "cuda:1". Networks are drawn on the CPU either way.
  /// CUDA compiles but is unverified: nobody has run it yet, and its products may round differently in other
  /// batches.
  std::string device = "cpu";
  /// Threads that sample, one batch of networks each, up to 1024; 0: one per processor.
  int threads = 0;
  /// Bytes that weights and activations of all networks in flight may take; 0: half of what the machine has
  /// left.
  std::size_t memory_budget = 0;
};

/// How the networks of one width are sampled; none of it changes a network.
struct MemoryPlan {
  double network_bytes = 0;  // of one network
  int threads = 0;           // each of them holds
  std::uint64_t batch = 0;   // this many networks at once
  double bytes() const { return network_bytes * static_cast<double>(batch) * threads; }
};

/// Draws networks of a program and yields their empirical kernels
///
///     K = (σ_v²/Σ_b n_b) Σ_b X_bᵀX_b    over the output's blocks X_b ∈ R^{n_b×m}
///
/// (the readout is integrated out; E[K] over networks tends to the limit). Network `i` at one width is a
/// function of (program, width, seed, i) alone: its random objects are drawn from normal streams keyed by
/// (seed, width, i, name), and neither the number of threads, nor the batch, nor the memory budget changes a
/// bit. Any number of threads may sample at once, from one Sampler or several. LibTorch's number of threads
/// is afterwards what it was before the first of them.
class Sampler {
 public:
  /// Receives network indices in ascending order, from the thread that called sample().
  using Sink = std::function<void(std::uint64_t network, const Eigen::MatrixXd& kernel)>;

  /// Throws SamplerError if the device is unknown or unavailable, or the number of threads out of range.
  explicit Sampler(netsor::Program program, SamplerOptions options = {});

  /// Networks first, …, first + count - 1 at base width `width`. An exception from the sink ends it.
  /// Throws netsor::ProgramError if a width of the program is no integer there, SamplerError if one network
  /// exceeds the memory budget or a kernel is not finite; the sink has then received all networks before it.
  void sample(std::int64_t width, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
              const Sink& sink) const;

  /// Receives a network's outputs as well.
  using OutputSink = std::function<void(std::uint64_t network, const Eigen::MatrixXd& kernel,
                                        const Eigen::VectorXd& outputs)>;

  /// The same networks with their outputs f = σ_v Σ_b X_bᵀv_b/√(Σ_b n_b) ∈ R^m, where the readout v ~ N(0, 1)
  /// has a stream of its own. Given the rest of the network, f is N(0, K).
  void sample_outputs(std::int64_t width, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                      const OutputSink& sink) const;

  /// What sample() will do for that many networks. Throws as it does, for want of memory with the largest
  /// width that would fit.
  MemoryPlan plan(std::int64_t width, std::uint64_t count) const;

  /// Seconds that sample() should take for that many networks of a width that plan() accepts: operations that
  /// are counted, at the speed that the processor shows at this call. Mostly within a factor 2 on the CPU
  /// (bench/sampler_times). It reads the sampler, which must outlive it.
  using Seconds = std::function<double(std::int64_t width, std::uint64_t count)>;
  Seconds foreseen_seconds() const;

  /// The largest width ≤ `most` of which one network fits into the memory budget, by bisection (what a width
  /// takes may fall again where matrices give way to exact products); 0: none.
  std::int64_t largest_width(std::int64_t most) const;

  const netsor::Program& program() const { return program_; }
  const SamplerOptions& options() const { return options_; }

 private:
  /// Without outputs, the sink receives empty ones.
  void sample_networks(std::int64_t width, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                       bool with_outputs, const OutputSink& sink) const;

  netsor::Program program_;
  SamplerOptions options_;
};

}  // namespace nngpcheck::empirical
