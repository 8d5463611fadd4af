#include "nngpcheck/compare/verdict/evidence.hpp"

#include <cmath>

#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using testing::HasSubstr;

CheckResult example(Verdict verdict) {
  CheckResult result;
  result.verdict = verdict;
  result.bound = 0.00801;
  result.worst = {{0, 1}, 0.31214, 0.29871, 0.00093};
  result.detectable = 0.02;
  result.rate = Rate{-1.01, {-1.05, -0.97}};
  result.labels = {"dog", "lazy"};
  result.resolution = 0.01;
  result.false_alarm = 1e-6;
  result.miss = 1e-3;
  CheckRound round;
  round.widths = {64, 128, 256, 8192};
  round.ladders = 64;
  round.first_network = 128;
  round.fluctuations = Dispersion{-0.5, 0.01};
  round.p_entry = 0.25;
  result.rounds = {round};
  return result;
}

TEST(VerdictText, Agrees) {
  CheckResult result = example(Verdict::agree);
  EXPECT_EQ(
      verdict_text("erf RNN", result),
      "agree     erf RNN: no entry off by > 0.81 % of √(K_aa K_bb) (miss ≤ 1e-3, false alarm ≤ 1e-6); 64 "
      "ladders, n = 64…8192");
  result.seconds = 0.94;
  result.bound = 0.01;
  result.miss = 0.0025;
  const std::string text = verdict_text("x", result);
  EXPECT_THAT(text, HasSubstr("off by > 1 % of"));
  EXPECT_THAT(text, HasSubstr("miss ≤ 2.5e-3"));
  EXPECT_TRUE(text.ends_with("; 0.9 s"));
}

TEST(VerdictText, SaysWhichContractAndWhichInputs) {
  CheckResult result = example(Verdict::agree);
  result.tolerance = 0.05;
  EXPECT_THAT(verdict_text("x", result),
              HasSubstr("x: within the tolerance of 5 %: no entry off by > 0.81 % of"));
  EXPECT_EQ(to_json(result)["contract"], "tolerance");
  EXPECT_EQ(to_json(result)["tolerance"], 0.05);
  result.tolerance.reset();
  EXPECT_EQ(to_json(result)["contract"], "exact");
  EXPECT_TRUE(to_json(result)["tolerance"].is_null());
  EXPECT_THAT(verdict_text("x", result), testing::Not(HasSubstr("looked at")));
  result.all_inputs = 2000;
  result.inputs = {3, 17};
  EXPECT_THAT(
      verdict_text("x", result),
      testing::EndsWith("; looked at 2 of 2000 inputs, at random: a share f of wrong ones is missed with "
                        "probability at most (1 - f)^2"));
  EXPECT_EQ(to_json(result)["scope"]["inputs"], 2000);
  EXPECT_EQ(to_json(result)["scope"]["looked_at"], 2);
}

TEST(VerdictText, RoundsBoundsUp) {
  for (const auto& [bound, text] : std::vector<std::pair<double, std::string>>{{0.0000123401, "> 0.0013 %"},
                                                                               {0.00995, "> 1 %"},
                                                                               {0.1201, "> 13 %"},
                                                                               {1.201, "> 130 %"},
                                                                               {0.0081, "> 0.81 %"}}) {
    CheckResult result = example(Verdict::agree);
    result.bound = bound;
    EXPECT_THAT(verdict_text("x", result), HasSubstr(text));
  }
}

TEST(VerdictText, Disagrees) {
  CheckResult result = example(Verdict::disagree);
  result.p_value = 3e-12;
  EXPECT_EQ(verdict_text("my_kernel.npy", result),
            "disagree  my_kernel.npy: p < 1e-9, confirmed on fresh networks; worst entry (dog, lazy): 0.3121 "
            "given, 0.2987 ± 0.0009 estimated");
  result.p_value = 2e-7;
  result.labels.clear();
  EXPECT_THAT(verdict_text("x", result), HasSubstr("p = 2e-7, confirmed"));
  EXPECT_THAT(verdict_text("x", result), HasSubstr("worst entry (0, 1): "));
  result.worst = {{0, 0}, 1.0002, 1, 0};
  EXPECT_THAT(verdict_text("x", result), HasSubstr("(0, 0): 1.000200 given, 1.000000 estimated"));
  result.worst = {{0, 0}, 1.000002, 1, 1e-14};
  EXPECT_THAT(verdict_text("x", result), HasSubstr("1.00000200 given, 1.00000000 estimated"));
  result.worst = {{0, 0}, 31214, 29871, 93};
  EXPECT_THAT(verdict_text("x", result), HasSubstr("31214 given, 29871 ± 93 estimated"));
  result.worst = {{0, 0}, 3.1214e-20, 2.9871e-20, 9.3e-23};
  EXPECT_THAT(verdict_text("x", result), HasSubstr("3.1214e-20 given, 2.9871e-20 ± 9.3e-23 estimated"));
}

TEST(VerdictText, SaysWhyItIsInconclusive) {
  CheckResult result = example(Verdict::inconclusive);
  result.reason = "heavy tails: …";
  EXPECT_EQ(verdict_text("x", result), "inconclusive x: heavy tails: …; 64 ladders, n = 64…8192");
}

TEST(VerdictJson, HoldsTheEvidence) {
  CheckResult result = example(Verdict::disagree);
  result.p_value = 2e-7;
  const nlohmann::json json = to_json(result);
  EXPECT_EQ(json["verdict"], "disagree");
  EXPECT_EQ(json["p_value"], 2e-7);
  EXPECT_EQ(json["worst_entry"]["labels"], (nlohmann::json{"dog", "lazy"}));
  EXPECT_EQ(json["worst_entry"]["column"], 1);
  EXPECT_EQ(json["worst_entry"]["standard_error"], 0.00093);
  EXPECT_EQ(json["detectable_error"], 0.02);
  EXPECT_EQ(json["rate"]["interval"], (nlohmann::json{-1.05, -0.97}));
  EXPECT_THAT(json["rate"]["note"].get<std::string>(), HasSubstr("no evidence"));
  EXPECT_EQ(json["rounds"][0]["first_network"], 128);
  EXPECT_EQ(json["rounds"][0]["dispersion_slope"], -0.5);
  EXPECT_EQ(json["rounds"][0]["p_entry"], 0.25);
  EXPECT_TRUE(json["rounds"][0]["p_total"].is_null());
  EXPECT_TRUE(json["seconds"].is_null());
}

TEST(VerdictJson, HasNoInfinities) {
  CheckResult result;
  result.bound = INFINITY;
  const nlohmann::json json = to_json(result);
  EXPECT_TRUE(json["bound"].is_null());
  EXPECT_TRUE(json["rate"].is_null());
  EXPECT_TRUE(json["worst_entry"]["labels"].is_null());
  EXPECT_EQ(nlohmann::json::parse(json.dump()), json);
}

}  // namespace
}  // namespace nngpcheck::compare
