// Programs against their torch::nn twins with the same weights.
#include "empirical/twin.hpp"

#include <gtest/gtest.h>

#include "empirical/interpreter.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck {
namespace {

using architectures::Inputs;
using architectures::MlpOptions;
using architectures::SimpleRnnOptions;
using empirical::Parameters;
using netsor::Activation;

constexpr std::int64_t width = 24;
constexpr std::uint64_t seed = 5;
constexpr std::uint64_t network = 3;
constexpr double tolerance = 1e-10;  // the numbers are of order 1
constexpr double visible = 1e-3;

// The sampler's output values, n×m.
Eigen::MatrixXd program_values(const netsor::Program& program) {
  const empirical::Schedule plan = empirical::schedule(program, width);
  empirical::Interpreter interpreter(program, plan, empirical::Precision::float64, at::kCPU, 1);
  const at::Tensor x = interpreter.outputs({width, seed, network, 1}).at(0).squeeze(1).contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(x.data_ptr<double>(), x.size(1), x.size(0));
}

double difference(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  if (left.rows() != right.rows() || left.cols() != right.cols()) return HUGE_VAL;
  return (left - right).cwiseAbs().maxCoeff();
}

Parameters drawn(const netsor::Program& program) {
  return empirical::draw_parameters(program, width, seed, network);
}

std::vector<Activation> activations() {
  std::vector<Activation> result = {Activation::named("leaky_relu_0.2"), Activation::named("power_3"),
                                    Activation::custom("cubic", [](double x) { return x * x * x - x; })};
  for (const std::string& name : Activation::names()) {
    if (!name.ends_with("_S") && !name.ends_with("_P")) result.push_back(Activation::named(name));
  }
  return result;
}

TEST(MlpTwin, EqualsTheProgram) {
  const Inputs inputs = testing::vectors(5, 6);
  for (const Activation& activation : activations()) {
    for (const int depth : {1, 2}) {
      for (const double bias_variance : {0.0, 0.3}) {
        const MlpOptions options{depth, activation, 0.9, 0.8, bias_variance, 1};
        const netsor::Program program = architectures::mlp(options, inputs);
        const Eigen::MatrixXd values = program_values(program);
        const double scale = std::max(1.0, values.cwiseAbs().maxCoeff());  // exp and powers grow
        EXPECT_LT(difference(empirical::mlp_twin(options, inputs, drawn(program)), values), tolerance * scale)
            << activation.name() << " depth " << depth << " bias " << bias_variance;
      }
    }
  }
}

TEST(MlpTwin, EqualsADeepProgram) {
  const Inputs inputs = testing::vectors(5, 6);
  const MlpOptions options{12, Activation::named("relu"), 2, 0.8, 0.1, 1};
  const netsor::Program program = architectures::mlp(options, inputs);
  EXPECT_LT(difference(empirical::mlp_twin(options, inputs, drawn(program)), program_values(program)),
            tolerance);
}

TEST(MlpTwin, AWrongOneDiffers) {
  const Inputs inputs = testing::vectors(5, 6);
  const MlpOptions options{3, Activation::named("tanh"), 0.9, 0.8, 0.3, 1};
  const netsor::Program program = architectures::mlp(options, inputs);
  const Eigen::MatrixXd values = program_values(program);
  const Parameters parameters = drawn(program);

  MlpOptions changed = options;
  changed.bias_variance = 0;
  EXPECT_GT(difference(empirical::mlp_twin(changed, inputs, parameters), values), visible)
      << "biases dropped";
  changed = options;
  changed.depth = 2;
  EXPECT_GT(difference(empirical::mlp_twin(changed, inputs, parameters), values), visible) << "a layer less";
  changed = options;
  changed.activation = Activation::named("erf");
  EXPECT_GT(difference(empirical::mlp_twin(changed, inputs, parameters), values), visible)
      << "another activation";

  Parameters tied = parameters;
  tied["W3"] = tied["W2"];
  EXPECT_GT(difference(empirical::mlp_twin(options, inputs, tied), values), visible) << "layers tied";
  Parameters transposed = parameters;
  transposed["W2"].transposeInPlace();
  EXPECT_GT(difference(empirical::mlp_twin(options, inputs, transposed), values), visible)
      << "weight transposed";
}

TEST(MlpTwin, SaysWhichParameterIsMissing) {
  const Inputs inputs = testing::vectors(5, 6);
  MlpOptions options;
  const Parameters parameters = drawn(architectures::mlp(options, inputs));
  options.depth = 2;
  try {
    empirical::mlp_twin(options, inputs, parameters);
    ADD_FAILURE() << "not rejected";
  } catch (const empirical::SamplerError& error) {
    EXPECT_NE(std::string(error.what()).find("no parameter \"W2\""), std::string::npos);
  }
}

TEST(SimpleRnnTwin, EqualsTheProgram) {
  for (const auto& lengths : {std::vector<Eigen::Index>{4}, {3, 5, 1}, {5, 3, 3}, {1, 2, 7}}) {
    const Inputs inputs = testing::sequences(5, lengths);
    for (const char* activation : {"tanh", "relu", "erf", "sigmoid", "identity"}) {
      for (const char* output : {"all", "last", "average"}) {
        for (const double bias_variance : {0.0, 0.3}) {
          const SimpleRnnOptions options{Activation::named(activation), 0.9, 0.8, bias_variance, 1, output};
          const netsor::Program program = architectures::simple_rnn(options, inputs);
          EXPECT_LT(difference(empirical::simple_rnn_twin(options, inputs, drawn(program)),
                               program_values(program)),
                    tolerance)
              << activation << " " << output << " bias " << bias_variance;
        }
      }
    }
  }
}

TEST(SimpleRnnTwin, AWrongOneDiffers) {
  const Inputs inputs = testing::sequences(5, {3, 5, 1});
  for (const char* activation : {"tanh", "erf"}) {
    const SimpleRnnOptions options{Activation::named(activation), 0.9, 0.8, 0.3, 1, "all"};
    const netsor::Program program = architectures::simple_rnn(options, inputs);
    const Eigen::MatrixXd values = program_values(program);
    const Parameters parameters = drawn(program);
    const auto differs = [&](const SimpleRnnOptions& o, const Inputs& i, const Parameters& p) {
      return difference(empirical::simple_rnn_twin(o, i, p), values) > visible;
    };
    EXPECT_FALSE(differs(options, inputs, parameters));

    SimpleRnnOptions without_bias = options;
    without_bias.bias_variance = 0;
    EXPECT_TRUE(differs(without_bias, inputs, parameters)) << "bias dropped";

    Inputs shifted = inputs;
    shifted.data.col(3).swap(shifted.data.col(4));
    EXPECT_TRUE(differs(options, shifted, parameters)) << "two tokens swapped";
    shifted = inputs;
    shifted.lengths = {4, 4, 1};
    EXPECT_TRUE(differs(options, shifted, parameters)) << "a token in the wrong sequence";
    shifted.lengths = {9};
    EXPECT_TRUE(differs(options, shifted, parameters)) << "the state carried over to the next sequence";

    Parameters untied = parameters;
    untied["W"] = empirical::draw_parameters(program, width, seed, network + 1)["W"];
    EXPECT_TRUE(differs(options, inputs, untied)) << "another recurrent weight";
  }
}

architectures::GruOptions gru_options(const char* convention, const char* activation,
                                      const char* gate_activation) {
  architectures::GruOptions result;
  result.convention = convention;
  result.activation = Activation::named(activation);
  result.gate_activation = Activation::named(gate_activation);
  result.weight_variance = 1.3;
  result.input_variance = 0.8;
  result.bias_variance = 0.3;
  return result;
}

TEST(GruTwin, EqualsTheProgram) {
  const Inputs inputs = testing::sequences(5, {3, 5, 1});
  for (const char* convention : {"tp1", "torch"}) {
    for (const char* activation : {"tanh", "erf"}) {
      for (const char* gate_activation : {"sigmoid", "erf_sigmoid"}) {
        for (const char* output : {"all", "last", "average"}) {
          for (const double hidden_bias_variance : {0.0, 0.5}) {
            architectures::GruOptions options = gru_options(convention, activation, gate_activation);
            options.output = output;
            if (options.convention == "torch") options.hidden_bias_variance = hidden_bias_variance;
            const netsor::Program program = architectures::gru(options, inputs);
            EXPECT_LT(
                difference(empirical::gru_twin(options, inputs, drawn(program)), program_values(program)),
                tolerance)
                << convention << " " << activation << " " << gate_activation << " " << output;
          }
        }
      }
    }
  }
}

TEST(GruTwin, AWrongOneDiffers) {
  const Inputs inputs = testing::sequences(5, {3, 5, 1});
  for (const char* convention : {"tp1", "torch"}) {
    const architectures::GruOptions options = gru_options(convention, "tanh", "sigmoid");
    const netsor::Program program = architectures::gru(options, inputs);
    const Eigen::MatrixXd values = program_values(program);
    Parameters parameters = drawn(program);
    architectures::GruOptions changed = options;
    changed.convention = options.convention == "tp1" ? "torch" : "tp1";
    EXPECT_GT(difference(empirical::gru_twin(changed, inputs, parameters), values), visible)
        << "other convention";
    changed = options;
    changed.bias_variance = 0;
    EXPECT_GT(difference(empirical::gru_twin(changed, inputs, parameters), values), visible)
        << "biases dropped";
    std::swap(parameters["W_z"], parameters["W_r"]);
    EXPECT_GT(difference(empirical::gru_twin(options, inputs, parameters), values), visible)
        << "gates swapped";
  }
}

TEST(LstmTwin, EqualsTheProgramAndAWrongOneDiffers) {
  const Inputs inputs = testing::sequences(5, {3, 5, 1});
  for (const char* activation : {"tanh", "erf"}) {
    for (const char* output : {"all", "last", "average"}) {
      for (const double bias_variance : {0.0, 0.3}) {
        architectures::LstmOptions options;
        options.activation = Activation::named(activation);
        options.weight_variance = 1.3;
        options.bias_variance = bias_variance;
        options.output = output;
        const netsor::Program program = architectures::lstm(options, inputs);
        const Eigen::MatrixXd values = program_values(program);
        Parameters parameters = drawn(program);
        EXPECT_LT(difference(empirical::lstm_twin(options, inputs, parameters), values), tolerance)
            << activation << " " << output;
        std::swap(parameters["U_i"], parameters["U_o"]);
        EXPECT_GT(difference(empirical::lstm_twin(options, inputs, parameters), values), visible)
            << "gates swapped";
      }
    }
  }
}

}  // namespace
}  // namespace nngpcheck
