#include "nngpcheck/empirical/sampler.hpp"

#include <torch/cuda.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <thread>

#include "nngpcheck/empirical/interpreter/in_order.hpp"
#include "nngpcheck/empirical/interpreter/interpreter.hpp"
#include "nngpcheck/empirical/interpreter/network_cost.hpp"
#include "nngpcheck/support/memory.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::empirical {

namespace {

// Batches beyond this gain nothing on a CPU: the cost per instruction is spread, and they leave the cache.
constexpr double batch_bytes = 1 << 22;
constexpr int most_threads = 1024;
constexpr std::int64_t largest_of_all = std::int64_t{1} << 31;

at::Device parse_device(const std::string& text) {
  const std::string what = "device \"" + text + "\": ";
  const auto parsed = [&] {
    try {
      return at::Device(text);
    } catch (const c10::Error&) {
      throw SamplerError(what + "no such device; use \"cpu\", \"cuda\" or \"cuda:<number>\"");
    }
  }();
  if (parsed.is_cpu()) return at::Device(at::kCPU);
  if (!parsed.is_cuda())
    throw SamplerError(what + "not supported; use \"cpu\", \"cuda\" or \"cuda:<number>\"");
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (count == 0) {
    throw SamplerError(what +
                       "LibTorch sees no CUDA device; use \"cpu\", or build with a LibTorch for CUDA "
                       "through CMAKE_PREFIX_PATH");
  }
  if (parsed.index() >= count) {
    throw SamplerError(what + "LibTorch sees " + std::to_string(count) + " CUDA devices; they count from 0");
  }
  return parsed;
}

// LibTorch's number of threads is each thread's own, but new threads inherit what was set last anywhere, by
// another thread that samples, too. So the first of those that overlap keeps the number, and each leaves it
// behind.
class RestoreTorchThreads {
 public:
  RestoreTorchThreads() {
    const std::lock_guard lock(mutex);
    if (users++ == 0) before = at::get_num_threads();
  }
  ~RestoreTorchThreads() {
    const std::lock_guard lock(mutex);
    --users;
    at::set_num_threads(before);
  }
  RestoreTorchThreads(const RestoreTorchThreads&) = delete;
  RestoreTorchThreads& operator=(const RestoreTorchThreads&) = delete;

 private:
  static inline std::mutex mutex;
  static inline int users = 0;
  static inline int before = 0;
};

std::string mebibytes(double bytes) { return support::shortest(std::ceil(bytes / (1 << 20))) + " MiB"; }

double bytes_of(const Schedule& plan) { return plan.buffer_bytes + plan.temporary_bytes; }

}  // namespace

Sampler::Sampler(netsor::Program program, SamplerOptions options)
    : program_(std::move(program)), options_(std::move(options)) {
  if (!parse_device(options_.device).is_cpu()) {
    if (options_.products == Products::exact) {
      throw SamplerError("device \"" + options_.device +
                         "\": only matrices can be drawn there; use the dense sampler, or \"cpu\"");
    }
    options_.products = Products::dense;
  }
  if (options_.threads < 0 || options_.threads > most_threads) {
    throw SamplerError("threads = " + std::to_string(options_.threads) + ": give a number from 1 to " +
                       std::to_string(most_threads) + ", or 0 for all");
  }
  if (options_.memory_budget == 0)
    options_.memory_budget = static_cast<std::size_t>(support::available_memory() / 2);
}

std::int64_t Sampler::largest_width(std::int64_t most) const {
  const std::int64_t unit = netsor::width_unit(program_);
  const auto fits = [&](std::int64_t multiple) {
    return bytes_of(schedule(program_, multiple * unit, options_.products, options_.precision)) <=
           static_cast<double>(options_.memory_budget);
  };
  std::int64_t low = 0, high = std::min(most, largest_of_all) / unit + 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low * unit;
}

MemoryPlan Sampler::plan(std::int64_t width, std::uint64_t count) const {
  if (width > largest_of_all) {
    throw SamplerError("width " + std::to_string(width) + ": widths end at " +
                       std::to_string(largest_of_all) + "; choose a smaller one");
  }
  const double network = bytes_of(schedule(program_, width, options_.products, options_.precision));
  const auto budget = static_cast<double>(options_.memory_budget);
  if (network > budget) {
    throw SamplerError("width " + std::to_string(width) + ": one network takes " + mebibytes(network) +
                       " but the memory budget is " + mebibytes(budget) +
                       "; raise the budget, or choose a smaller width: the largest that fits is " +
                       std::to_string(largest_width(width)));
  }
  const auto affordable = static_cast<std::uint64_t>(budget / std::max(network, 1.0));
  const unsigned available = options_.threads > 0 ? static_cast<unsigned>(options_.threads)
                                                  : std::max(1U, std::thread::hardware_concurrency());
  const std::uint64_t threads =
      std::min<std::uint64_t>({available, affordable, std::max<std::uint64_t>(count, 1)});
  std::uint64_t batch = std::min(affordable / threads, (count + threads - 1) / threads);
  if (parse_device(options_.device).is_cpu()) {
    batch = std::min(batch, static_cast<std::uint64_t>(std::max(1.0, batch_bytes / std::max(network, 1.0))));
  }
  return {network, static_cast<int>(threads), batch};
}

Sampler::Seconds Sampler::foreseen_seconds() const {
  return [this, clock = NetworkClock(program_)](std::int64_t width, std::uint64_t count) {
    const Schedule schedule = empirical::schedule(program_, width, options_.products, options_.precision);
    const double in_turn = std::ceil(static_cast<double>(count) / plan(width, count).threads);
    return in_turn * network_cost(program_, schedule, clock.unit) * clock.seconds_per_multiply_add;
  };
}

void Sampler::sample(std::int64_t width, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                     const Sink& sink) const {
  sample_networks(width, seed, first, count, false,
                  [&](std::uint64_t network, const Eigen::MatrixXd& kernel, const Eigen::VectorXd&) {
                    sink(network, kernel);
                  });
}

void Sampler::sample_outputs(std::int64_t width, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                             const OutputSink& sink) const {
  sample_networks(width, seed, first, count, true, sink);
}

void Sampler::sample_networks(std::int64_t width, std::uint64_t seed, std::uint64_t first,
                              std::uint64_t count, bool with_outputs, const OutputSink& sink) const {
  const MemoryPlan parts = plan(width, count);
  if (count == 0) return;
  const Schedule schedule = empirical::schedule(program_, width, options_.products, options_.precision);
  const at::Device device = parse_device(options_.device);
  const std::uint64_t batches = (count + parts.batch - 1) / parts.batch;
  const RestoreTorchThreads restore_torch_threads;

  struct Batch {
    std::vector<Eigen::MatrixXd> kernels;
    std::vector<Eigen::VectorXd> outputs;  // empty unless asked for
  };
  const auto start = [&] {
    at::set_num_threads(1);
    return [&, interpreter = Interpreter(program_, schedule, options_.precision, device,
                                         static_cast<std::int64_t>(parts.batch))](std::uint64_t k) mutable {
      const c10::InferenceMode inference;
      const std::uint64_t begin = k * parts.batch;
      interpreter.evaluate(
          {width, seed, first + begin, static_cast<std::int64_t>(std::min(parts.batch, count - begin))});
      Batch batch{interpreter.kernels(), {}};
      if (with_outputs) batch.outputs = interpreter.outputs();
      return batch;
    };
  };
  const auto pass_on = [&](std::uint64_t k, const Batch& batch) {
    std::uint64_t network = first + k * parts.batch;
    for (std::size_t b = 0; b < batch.kernels.size(); ++b, ++network) {
      if (!batch.kernels[b].allFinite()) {
        throw SamplerError("network " + std::to_string(network) + " at width " + std::to_string(width) +
                           ": its kernel is not finite; a value overflowed or was 0/0: check activations, "
                           "variances and epsilons, or use float64");
      }
      sink(network, batch.kernels[b], with_outputs ? batch.outputs[b] : Eigen::VectorXd());
    }
  };
  produce_in_order<Batch>(batches, parts.threads, start, pass_on);
}

}  // namespace nngpcheck::empirical
