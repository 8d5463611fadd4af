// Standard error and time of the GRU and LSTM kernels over two sentences, by default settings:
//   paths_bench [seeds]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/inputs/read_inputs.hpp"

namespace {

using nngpcheck::analytic::Limit;

double relative_standard_error(const Limit& limit) {
  const Eigen::VectorXd scale = limit.value.diagonal().cwiseSqrt();
  return limit.standard_error.cwiseQuotient(scale * scale.transpose()).maxCoeff();
}

void measure(const char* name, const nngpcheck::netsor::Program& program, unsigned seed) {
  const auto start = std::chrono::steady_clock::now();
  const Limit limit = nngpcheck::analytic::limit(program, {.seed = seed});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%-16s seed %u: standard error %.1e of sqrt(K_aa K_bb), %5.1f s (%s)\n", name, seed,
              relative_standard_error(limit), seconds.count(), limit.method.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  namespace architectures = nngpcheck::architectures;
  const auto inputs = nngpcheck::inputs::read_inputs(NNGPCHECK_DATA "/sentences.csv");
  const auto erf = nngpcheck::netsor::Activation::named("erf");
  const auto erf_sigmoid = nngpcheck::netsor::Activation::named("erf_sigmoid");
  architectures::GruOptions gru;
  gru.bias_variance = 1;
  architectures::GruOptions gru_erf = gru;
  gru_erf.activation = erf;
  gru_erf.gate_activation = erf_sigmoid;
  architectures::GruOptions gru_torch = gru;
  gru_torch.convention = nngpcheck::architectures::GruConvention::torch;
  gru_torch.hidden_bias_variance = 1;
  architectures::LstmOptions lstm;
  lstm.bias_variance = 1;
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 1;
  for (unsigned seed = 0; seed < static_cast<unsigned>(seeds); ++seed) {
    measure("gru, erf", architectures::gru(gru_erf, inputs), seed);
    measure("gru, tanh", architectures::gru(gru, inputs), seed);
    measure("gru, torch", architectures::gru(gru_torch, inputs), seed);
    measure("lstm", architectures::lstm(lstm, inputs), seed);
  }
}
