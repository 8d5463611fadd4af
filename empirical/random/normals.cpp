#include "nngpcheck/empirical/random/normals.hpp"

#include <Random123/philox.h>

namespace nngpcheck::empirical {

namespace {

using Philox = r123::Philox4x32;

class Absorber {
 public:
  void absorb(std::uint64_t word) {
    const Philox::key_type key = {{static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)}};
    state_ = Philox()(state_, key);
  }
  PhiloxStream stream() const { return {{state_[0], state_[1]}, {state_[2], state_[3]}}; }

 private:
  Philox::ctr_type state_ = {{0, 0, 0, 0}};
};

void blocks(const Simd& path, const PhiloxStream& stream, std::uint64_t first, std::size_t count, double mean,
            double deviation, double* target) {
  path.normals(stream, first, count, mean, deviation, target);
}
void blocks(const Simd& path, const PhiloxStream& stream, std::uint64_t first, std::size_t count, double mean,
            double deviation, float* target) {
  path.normals_float(stream, first, count, mean, deviation, target);
}

// A block holds elements 2i and 2i + 1: whole blocks go straight to the target, halves at the ends do not.
template <class T>
void fill_any(const Simd& path, const PhiloxStream& stream, std::uint64_t first, std::span<T> target,
              double mean, double deviation) {
  T pair[2];
  if (first % 2 == 1 && !target.empty()) {
    blocks(path, stream, first / 2, 1, mean, deviation, pair);
    target[0] = pair[1];
    target = target.subspan(1);
    ++first;
  }
  const std::size_t whole = target.size() / 2;
  blocks(path, stream, first / 2, whole, mean, deviation, target.data());
  if (target.size() % 2 == 1) {
    blocks(path, stream, first / 2 + whole, 1, mean, deviation, pair);
    target.back() = pair[0];
  }
}

}  // namespace

NormalStream::NormalStream(std::uint64_t seed, std::int64_t width, std::uint64_t network,
                           std::string_view name) {
  Absorber absorber;
  absorber.absorb(seed);
  absorber.absorb(static_cast<std::uint64_t>(width));
  absorber.absorb(network);
  absorber.absorb(name.size());
  for (std::size_t begin = 0; begin < name.size(); begin += 8) {
    std::uint64_t word = 0;
    for (const char letter : name.substr(begin, 8)) word = word << 8 | static_cast<unsigned char>(letter);
    absorber.absorb(word);
  }
  philox_ = absorber.stream();
}

void NormalStream::fill(std::uint64_t first, std::span<double> target, double mean, double deviation,
                        const Simd& path) const {
  fill_any(path, philox_, first, target, mean, deviation);
}

void NormalStream::fill(std::uint64_t first, std::span<float> target, double mean, double deviation,
                        const Simd& path) const {
  fill_any(path, philox_, first, target, mean, deviation);
}

}  // namespace nngpcheck::empirical
