// What the finite-width law says on the command line.
#include <nlohmann/json.hpp>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::HasSubstr;

class Law : public Executable {
 protected:
  // One input, relu, σ² = 2, three layers: C = 15 K², no bias.
  Law() {
    write("one.csv", "x0\n1\n");
    write("relu.toml",
          "name = \"relu\"\n[architecture]\nname = \"mlp\"\ndepth = 3\nactivation = \"relu\"\n"
          "weight_variance = 2.0\ninput_variance = 2.0\n[inputs]\nfile = \"one.csv\"\n"
          "[sweep]\nwidths = [64, 256]\nnetworks = 2\nseed = 0\n");
  }
};

TEST_F(Law, IsATableAndJson) {
  const Outcome outcome = run("law relu.toml --json law.json");
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("relu\n"));
  const auto all = nlohmann::json::parse(read(folder_ / "law.json"))["experiments"];
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["name"], "relu");
  EXPECT_NEAR(all[0]["relative_c"].get<double>(), 15, 6 * all[0]["relative_c_standard_error"].get<double>());
  EXPECT_NEAR(all[0]["relative_bias"].get<double>(), 0,
              6 * all[0]["relative_bias_standard_error"].get<double>() + 1e-6);
  const auto quantiles = all[0]["quantiles"];
  ASSERT_EQ(quantiles.size(), 2U);
  EXPECT_EQ(quantiles[0]["width"], 64);
  // One entry: |K̂ - K|/K = √(15/n) |z|.
  EXPECT_NEAR(quantiles[0]["0.95"].get<double>(), 1.95996 * std::sqrt(15. / 64), 0.05);
  EXPECT_LT(quantiles[1]["0.5"].get<double>(), quantiles[0]["0.5"].get<double>());
}

TEST_F(Law, IsDrawn) {
  for (const char* name : {"law.png", "law"}) {
    const Outcome outcome = run(std::string("law relu.toml --plot ") + name);
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_THAT(read(folder_ / "law.png"), testing::StartsWith("\x89PNG"));
    EXPECT_THAT(read(folder_ / "law.svg"), HasSubstr("relu: 1 % at n = 1.5"));
    std::filesystem::remove(folder_ / "law.png");
  }
  const Outcome outcome = run("law relu.toml --plot none/law.png");
  EXPECT_EQ(outcome.status, 64) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("none/law"));
}

TEST_F(Law, IsCheckedAgainstNetworks) {
  const Outcome outcome = run("check relu.toml --law --pairs 50 --json found.json");
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("agree     relu: fluctuates as the finite-width law says"));
  const auto found = nlohmann::json::parse(read(folder_ / "found.json"));
  EXPECT_EQ(found[0]["verdict"], "agree");
  EXPECT_EQ(found[0]["pairs"], 50);
  EXPECT_EQ(found[0]["statistics"][0]["name"], "total");
  write("exp.toml",
        "name = \"exp\"\n[architecture]\nname = \"mlp\"\ndepth = 2\nactivation = \"exp\"\n"
        "weight_variance = 0.1\n[inputs]\nfile = \"one.csv\"\n");
  const Outcome heavy = run("check exp.toml --law");
  EXPECT_EQ(heavy.status, 2);
  EXPECT_THAT(heavy.output, HasSubstr("no kernel of a finite network has a second moment"));
  EXPECT_EQ(run("check relu.toml --law --kernel one.csv").status, 64);
  EXPECT_EQ(run("check relu.toml --law --pairs 3").status, 64);
  EXPECT_EQ(run("check relu.toml --pairs 30").status, 64);
}

TEST_F(Law, IsOfSomeOfManyInputs) {
  std::string points = "x0,x1\n";
  for (int k = 0; k < 600; ++k)
    points += std::to_string(std::sin(k)) + "," + std::to_string(std::cos(2 * k)) + "\n";
  write("many.csv", points);
  const std::string many = " relu.toml --set inputs.file=many.csv";
  const Outcome refused = run("law" + many);
  EXPECT_EQ(refused.status, 64);
  EXPECT_THAT(refused.errors, HasSubstr("take fewer inputs (--inputs)"));
  const Outcome some = run("law" + many + " --inputs 3 --json law.json");
  EXPECT_EQ(some.status, 0) << some.errors;
  EXPECT_THAT(some.output, HasSubstr("relu, 3 of its 600 inputs\n"));
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "law.json"))["experiments"][0]["inputs"], 3);
  EXPECT_EQ(run("width" + many + " --inputs 3 --error 1%").status, 0);
  EXPECT_EQ(run("law" + many + " --inputs 0").status, 64);
}

TEST_F(Law, SaysHowWide) {
  const Outcome outcome = run("width relu.toml --error 1%");
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("relu: width 1.5"));
  EXPECT_THAT(outcome.output, HasSubstr("exact sampling"));
  EXPECT_THAT(run("width relu.toml --error 1% --confidence 95%").output, HasSubstr("probability of 0.95"));
  EXPECT_THAT(run("width relu.toml --error 0.01 --entry").output, HasSubstr("every entry's error"));
  for (const char* wrong : {"0", "many", "-1%", "1%%"}) {
    const Outcome refused = run(std::string("width relu.toml --error=") + wrong);
    EXPECT_EQ(refused.status, 64) << wrong;
    EXPECT_THAT(refused.errors, HasSubstr("--error")) << wrong;
  }
}

}  // namespace
}  // namespace nngpcheck::cli
