// The sampler against a plain second interpreter on the same random numbers, and what it refuses.
#include "nngpcheck/empirical/sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/empirical/random/normals.hpp"
#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "tests/empirical/programs.hpp"
#include "tests/empirical/reference.hpp"

namespace nngpcheck {
namespace {

using empirical::Precision;
using empirical::Products;
using empirical::Sampler;
using empirical::SamplerError;
using empirical::SamplerOptions;
using netsor::Activation;
using ::testing::AllOf;
using ::testing::HasSubstr;

const SamplerOptions dense = {.products = Products::dense};

std::vector<Eigen::MatrixXd> kernels(const netsor::Program& program, const SamplerOptions& options,
                                     std::int64_t width, std::uint64_t seed, std::uint64_t first,
                                     std::uint64_t count) {
  std::vector<Eigen::MatrixXd> result;
  Sampler(program, options).sample(width, seed, first, count, [&](std::uint64_t network, const auto& kernel) {
    EXPECT_EQ(network, first + result.size());
    result.push_back(kernel);
  });
  return result;
}

TEST(EveryProgram, GivesTheKernelsOfAPlainInterpreter) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const netsor::Program& program = named.program;
    SCOPED_TRACE(named.name);
    for (const std::int64_t width : {4, 36, 128}) {
      const auto sampled = kernels(program, dense, width, 11, 5, 3);
      ASSERT_EQ(sampled.size(), 3U);
      for (std::uint64_t k = 0; k < 3; ++k) {
        const Eigen::MatrixXd reference = testing::reference_kernel(program, {width, 11, 5 + k});
        EXPECT_LT(testing::relative_difference(sampled[k], reference), 1e-11) << "width " << width;
        EXPECT_EQ(sampled[k], sampled[k].transpose());
        EXPECT_GT(
            testing::relative_difference(sampled[k], testing::reference_kernel(program, {width, 11, 6 + k})),
            1e-4)
            << "another network must not pass";
      }
    }
  }
}

TEST(EveryProgram, GivesTheOutputsOfItsReadout) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const netsor::Program& program = named.program;
    SCOPED_TRACE(named.name);
    const auto kernel = kernels(program, dense, 36, 11, 5, 3);
    std::uint64_t network = 5;
    Sampler(program, dense)
        .sample_outputs(36, 11, 5, 3, [&](std::uint64_t index, const auto& sampled, const auto& outputs) {
          EXPECT_EQ(index, network);
          EXPECT_EQ(sampled, kernel[index - 5]) << "the network must not depend on who asks for outputs";
          const Eigen::MatrixXd x = testing::reference_outputs(program, {36, 11, index});
          const auto expected = [&](const std::string& name) {
            Eigen::VectorXd v(x.rows());
            empirical::NormalStream(11, 36, index, name)
                .fill(0, {v.data(), static_cast<std::size_t>(v.size())});
            const double scale = program.readout().variance / static_cast<double>(x.rows());
            return Eigen::VectorXd(std::sqrt(scale) * (x.transpose() * v));
          };
          EXPECT_LT(testing::relative_difference(outputs, expected(program.readout().name)), 1e-10);
          EXPECT_GT(testing::relative_difference(outputs, expected("another")), 1e-2);
          ++network;
        });
    EXPECT_EQ(network, 8U);
  }
}

TEST(EveryProgram, Float32IsTheSameNetworkRounded) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const netsor::Program& program = named.program;
    SCOPED_TRACE(named.name);
    SamplerOptions options = dense;
    options.precision = Precision::float32;
    const auto sampled = kernels(program, options, 128, 11, 5, 3);
    for (std::uint64_t k = 0; k < 3; ++k) {
      const double difference =
          testing::relative_difference(sampled[k], testing::reference_kernel(program, {128, 11, 5 + k}));
      EXPECT_LT(difference, 1e-4);
      EXPECT_GT(difference, 1e-12) << "not stored in float32";
    }
  }
}

TEST(Sampler, UsesTheStatedVariances) {
  netsor::Builder builder;
  const auto x = builder.input(builder.input_weight({"U", {}, 2, 3.0}), Eigen::MatrixXd::Identity(2, 2));
  builder.output(builder.readout({"v", 5.0}), builder.matmul(builder.weight({"W", {}, {}, 7.0}), x));
  const netsor::Program program = std::move(builder).build();
  // Width 1: y = w u with w = √7 z, u = √(3/2) z', by hand.
  double w[1], u[2];
  empirical::NormalStream(9, 1, 4, "W").fill(0, std::span<double>(w));
  empirical::NormalStream(9, 1, 4, "U").fill(0, std::span<double>(u));
  const double expected = 5 * (7 * w[0] * w[0]) * (1.5 * u[0] * u[1]);
  EXPECT_NEAR(kernels(program, dense, 1, 9, 4, 1)[0](0, 1), expected, 1e-14 * std::abs(expected));
}

TEST(Sampler, NetworksDependOnSeedWidthAndIndex) {
  const netsor::Program program = architectures::mlp({}, testing::vectors(3, 2));
  const Eigen::MatrixXd kernel = kernels(program, dense, 8, 1, 0, 1)[0];
  EXPECT_EQ(kernels(program, dense, 8, 1, 0, 1)[0], kernel);
  EXPECT_NE(kernels(program, dense, 8, 2, 0, 1)[0], kernel);
  EXPECT_NE(kernels(program, dense, 8, 1, 1, 1)[0], kernel);
}

// ---- What it refuses ----

template <class Error, class Function>
std::string message(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sampler, RejectsDevicesItCannotUse) {
  const netsor::Program program = architectures::mlp({}, testing::vectors(3, 2));
  for (const char* device : {"", "gpu", "cuda:x", "cpu:0:0"}) {
    EXPECT_THAT(message<SamplerError>([&] { Sampler(program, {.device = device}); }),
                HasSubstr("use \"cpu\""))
        << device;
  }
  EXPECT_THAT(message<SamplerError>([&] { Sampler(program, {.device = "meta"}); }),
              HasSubstr("device \"meta\": not supported"));
  EXPECT_THAT(message<SamplerError>([&] { Sampler(program, {.device = "cuda:1000"}); }),
              AllOf(HasSubstr("device \"cuda:1000\""), HasSubstr("LibTorch sees")));
  EXPECT_NO_THROW(Sampler(program, {.device = "cpu"}));
}

TEST(Sampler, RejectsNumbersOfThreadsOutOfRange) {
  const netsor::Program program = architectures::mlp({}, testing::vectors(3, 2));
  for (const int threads : {-1, 1025}) {
    EXPECT_THAT(message<SamplerError>([&] { Sampler(program, {.threads = threads}); }),
                AllOf(HasSubstr("threads = " + std::to_string(threads)), HasSubstr("from 1 to 1024")));
  }
  EXPECT_NO_THROW(Sampler(program, {.threads = 1024}));
}

TEST(Sampler, RejectsWidthsThatAreNoIntegers) {
  netsor::Builder builder;
  const auto x =
      builder.input(builder.input_weight({"U", netsor::Width(1, 4), 3, 1.0}), testing::some_data(3, 2));
  builder.output(builder.readout({"v", 1.0}), x);
  const netsor::Program program = std::move(builder).build();
  EXPECT_THAT(message<netsor::ProgramError>([&] { kernels(program, dense, 6, 1, 0, 1); }),
              HasSubstr("divisible by 4"));
  EXPECT_THAT(message<netsor::ProgramError>([&] { kernels(program, dense, 0, 1, 0, 1); }),
              HasSubstr("at least 1"));
  EXPECT_EQ(kernels(program, dense, 8, 1, 0, 1).size(), 1U);
}

TEST(Sampler, SaysHowMuchMemoryOneNetworkTakes) {
  architectures::MlpOptions options;
  options.depth = 3;
  const netsor::Program program = architectures::mlp(options, testing::vectors(3, 2));
  EXPECT_THAT(message<SamplerError>([&] {
                kernels(program, {.products = Products::dense, .memory_budget = 1 << 20}, 1024, 1, 0, 1);
              }),
              AllOf(HasSubstr("width 1024"), HasSubstr("9 MiB"), HasSubstr("budget is 1 MiB"),
                    HasSubstr("the largest that fits is ")));
  const auto fits = [&](std::int64_t width) {
    return Sampler(program, {.products = Products::dense, .memory_budget = 1 << 20}).plan(width, 10);
  };
  const std::string said = message<SamplerError>([&] { fits(1024); });
  const std::int64_t largest = std::stoll(said.substr(said.find("fits is ") + 8));
  EXPECT_LE(fits(largest).bytes(), 1 << 20);
  EXPECT_THROW(fits(largest + 1), SamplerError);
  EXPECT_EQ(kernels(program, {.products = Products::dense, .memory_budget = 9 << 20}, 1024, 1, 0, 1).size(),
            1U);
  // 2^62 numbers fit no budget, and their bytes no integer.
  EXPECT_THAT(message<SamplerError>([&] { kernels(program, dense, std::int64_t{1} << 31, 1, 0, 1); }),
              HasSubstr("one network takes 35184"));
  EXPECT_THAT(message<SamplerError>([&] { kernels(program, dense, std::int64_t{1} << 62, 1, 0, 1); }),
              HasSubstr("widths end at"));
}

TEST(Sampler, KnowsTheLargestWidthThatFits) {
  for (const testing::NamedProgram& named : testing::instruction_programs()) {
    const Sampler sampler(named.program, {.products = Products::exact, .memory_budget = 200000});
    const std::int64_t largest = sampler.largest_width(1 << 20), unit = netsor::width_unit(named.program);
    ASSERT_GT(largest, 0) << named.name;
    EXPECT_NO_THROW(sampler.plan(largest, 1)) << named.name;
    EXPECT_THROW(sampler.plan(largest + unit, 1), SamplerError) << named.name;
    EXPECT_NO_THROW(sampler.plan(sampler.largest_width(largest - 1), 1));
  }
}

TEST(Sampler, NamesTheNetworkWhoseKernelIsNotFinite) {
  const auto explode =
      Activation::custom("explode", [](double) { return std::numeric_limits<double>::infinity(); });
  architectures::MlpOptions options;
  options.activation = explode;
  const netsor::Program program = architectures::mlp(options, testing::vectors(3, 2));
  EXPECT_THAT(message<SamplerError>([&] { kernels(program, dense, 8, 1, 40, 3); }),
              AllOf(HasSubstr("network 40 at width 8"), HasSubstr("not finite")));
}

TEST(Sampler, DeliversAllNetworksBeforeTheFirstBadOne) {
  // Overflows where the largest coordinate is large: some networks do, most do not.
  const auto spiky = Activation::custom("spiky", [](double x) { return x > 2.5 ? HUGE_VAL : x; });
  architectures::MlpOptions options;
  options.activation = spiky;
  const netsor::Program program = architectures::mlp(options, testing::vectors(3, 2));
  std::uint64_t delivered = 0;
  const Sampler sampler(program, {.threads = 2, .memory_budget = 1 << 14});
  const std::string error = message<SamplerError>([&] {
    sampler.sample(32, 1, 0, 100000,
                   [&](std::uint64_t network, const auto&) { EXPECT_EQ(network, delivered++); });
  });
  EXPECT_GT(delivered, 0U);
  EXPECT_THAT(error, HasSubstr("network " + std::to_string(delivered) + " at width 32"));
}

TEST(Sampler, PassesOnExceptionsOfSinksAndActivations) {
  const netsor::Program program = architectures::mlp({}, testing::vectors(3, 2));
  std::uint64_t delivered = 0;
  const auto sink = [&](std::uint64_t, const Eigen::MatrixXd&) {
    if (++delivered == 3) throw std::runtime_error("disk full");
  };
  EXPECT_EQ(message<std::runtime_error>([&] { Sampler(program, dense).sample(32, 1, 0, 100000, sink); }),
            "disk full");
  EXPECT_EQ(delivered, 3U);

  architectures::MlpOptions options;
  options.activation =
      Activation::custom("picky", [](double) -> double { throw std::domain_error("not for me"); });
  EXPECT_EQ(message<std::domain_error>(
                [&] { kernels(architectures::mlp(options, testing::vectors(3, 2)), dense, 8, 1, 0, 9); }),
            "not for me");
}

TEST(Sampler, SamplesNothingWhenAskedForNothing) {
  const netsor::Program program = architectures::mlp({}, testing::vectors(3, 2));
  EXPECT_TRUE(kernels(program, dense, 8, 1, 0, 0).empty());
}

}  // namespace
}  // namespace nngpcheck
