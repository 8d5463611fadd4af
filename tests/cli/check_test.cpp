// nngpcheck check: verdicts and their exit status, kernels from elsewhere, evidence in files.
#include <nlohmann/json.hpp>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Check : public Executable {
 protected:
  Check() {
    run("kernel e.toml -o right.json");
    kernel_ = nlohmann::json::parse(read(folder_ / "right.json"));
  }

  void refused(const std::string& arguments, const std::string& message) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 64) << arguments;
    EXPECT_THAT(outcome.errors, AllOf(StartsWith("nngpcheck: "), HasSubstr(message)));
  }

  nlohmann::json kernel_;
};

TEST_F(Check, TheAnalyticKernelAgrees) {
  const Outcome outcome = run("check e.toml --resolution 0.03");
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_THAT(outcome.output,
              AllOf(StartsWith("agree     mlp: no entry off by > "), HasSubstr("miss ≤ 1e-3")));
}

TEST_F(Check, ShowsOnATerminalWhatItDraws) {
  // Over a billion normal numbers, some seconds: nothing is shown of the first one.
  write("dense.toml", experiment + "[check]\nwidths = [1024, 2048, 4096, 8192]\nladders = 16\n");
  const std::string command =
      "check dense.toml --resolution 0.3 --sampler dense --threads 1 --set architecture.depth=2";
  // `script` runs it on a terminal; both outputs arrive as one.
  const auto on_terminal = [&](const std::string& arguments) {
    return run("--version; script -qec '" NNGPCHECK_EXECUTABLE " " + arguments + "' /dev/null").output;
  };
  EXPECT_THAT(on_terminal(command),
              AllOf(HasSubstr("mlp: round 1, screening of 16 ladders, about "), HasSubstr("agree     mlp")));
  EXPECT_THAT(on_terminal(command + " --quiet"),
              AllOf(testing::Not(HasSubstr("screening of")), HasSubstr("agree     mlp")));
}

TEST_F(Check, KernelsFromElsewhere) {
  run("kernel e.toml -o right.csv");
  run("kernel e.toml -o right.npy");
  for (const char* file : {"right.json", "right.csv", "right.npy"})
    EXPECT_EQ(run(std::string("check e.toml --resolution 0.03 --kernel ") + file).status, 0) << file;
  kernel_["kernel"][0][1] = kernel_["kernel"][1][0] = 0.2;  // 1/(2π) = 0.159
  write("wrong.json", kernel_.dump());
  const Outcome outcome = run("check e.toml --kernel wrong.json --junit report.xml --json evidence.json");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, AllOf(StartsWith("disagree  mlp: p < 1e-9"), HasSubstr("(0, 1): 0.2")));
  EXPECT_THAT(
      read(folder_ / "report.xml"),
      AllOf(HasSubstr("failures=\"1\""), HasSubstr("<failure type=\"disagree\""), HasSubstr("p &lt; 1e-9")));
  const auto evidence = nlohmann::json::parse(read(folder_ / "evidence.json"));
  EXPECT_EQ(evidence[0]["verdict"], "disagree");
  EXPECT_NEAR(evidence[0]["worst_entry"]["estimated"].get<double>(), 0.0796, 0.02);
}

TEST_F(Check, ErrorBarsOfAGivenKernelCount) {
  kernel_["kernel"][0][1] = kernel_["kernel"][1][0] = kernel_["kernel"][0][1].get<double>() + 0.01;
  write("off.json", kernel_.dump());
  EXPECT_EQ(run("check e.toml --kernel off.json").status, 1);
  write("stderr.csv", "0,0.02,0\n0.02,0,0\n0,0,0\n");
  EXPECT_NE(run("check e.toml --resolution 0.1 --kernel off.json --kernel-stderr stderr.csv").status, 1);
}

TEST_F(Check, NamesTheOrderOfAPermutedKernel) {
  write("a.csv", "x0,x1\n1,0\n0,2\n1,3\n");
  run("kernel e.toml -o right.json");
  const auto right = nlohmann::json::parse(read(folder_ / "right.json"))["kernel"];
  const int order[] = {2, 0, 1};  // row k is that of input order[k]
  nlohmann::json permuted = right;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) permuted[i][j] = right[order[i]][order[j]];
  }
  write("permuted.json", permuted.dump());
  const Outcome outcome = run("check e.toml --kernel permuted.json");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(
      outcome.errors,
      HasSubstr("permuted.json: with its rows and columns in the order 1, 2, 0 it is the analytic kernel"));
  permuted[0][0] = 9;
  write("wrong.json", permuted.dump());
  const Outcome wrong = run("check e.toml --kernel wrong.json");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.errors, Not(HasSubstr("in the order")));
}

TEST_F(Check, SaysWhatIsWrongWithAKernel) {
  run("kernel e.toml -o right.csv");
  write("two.csv", "1,0\n0,1\n");
  refused("check e.toml --kernel two.csv",
          "two.csv: 2×2, but the experiment has 3 outputs; give a 3×3 matrix");
  write("nan.csv", "1,0,0\n0,nan,0\n0,0,1\n");
  refused("check e.toml --kernel nan.csv",
          "nan.csv: row 2, column 2 (1, 1) is nan; every entry must be finite");
  write("skew.csv", "1,0,0\n0.5,1,0\n0,0,1\n");
  refused("check e.toml --kernel skew.csv", "not symmetric: its entry (0, 1)");
  kernel_["labels"] = {"1", "0", "2"};
  write("order.json", kernel_.dump());
  refused("check e.toml --kernel order.json",
          "order.json: row 1 is \"1\", but the experiment's output 1 is \"0\"");
  write("header.csv", "0,1,2\n" + read(folder_ / "right.csv"));
  EXPECT_EQ(run("check e.toml --resolution 0.03 --kernel header.csv").status, 0);
  write("names.csv", "a,b,c\n" + read(folder_ / "right.csv"));
  refused("check e.toml --kernel names.csv", "row 1 is \"a\"");
  write("ragged.csv", "1,0,0\n0,1\n0,0,1\n");
  refused("check e.toml --kernel ragged.csv", "ragged.csv:2: 2 fields, but 3 in the first row");
  write("word.csv", "1,0,0\n0,one,0\n0,0,1\n");
  refused("check e.toml --kernel word.csv", "word.csv:2: \"one\" is no number");
  write("empty.csv", "");
  refused("check e.toml --kernel empty.csv", "0×0");
  write("broken.json", "{\"kernel\": 3}");
  refused("check e.toml --kernel broken.json", "broken.json: not a kernel");
  write("lengths.json", "{\"kernel\": [[1, 0], [0]]}");
  refused("check e.toml --kernel lengths.json", "lengths.json: the rows of a matrix differ in length");
  refused("check e.toml --kernel missing.csv", "missing.csv");
  write("minus.csv", "0,-1,0\n-1,0,0\n0,0,0\n");
  refused("check e.toml --kernel right.csv --kernel-stderr minus.csv", "minus.csv: a negative error bar");
  refused("check e.toml --kernel-stderr minus.csv", "--kernel-stderr belongs to --kernel");
  refused("check e.toml e.toml --kernel right.csv", "--kernel belongs to one experiment");
}

TEST_F(Check, OptionsAreThoseOfTheFileOrTheCommandLine) {
  write("c.toml",
        experiment + "[check]\nwidths = [16, 32, 64, 128]\nladders = 8\nresolution = 1e-6\nseed = 2\n");
  const Outcome outcome = run("check c.toml --memory 1MiB");
  EXPECT_EQ(outcome.status, 2) << outcome.output << outcome.errors;
  EXPECT_THAT(outcome.output,
              AllOf(StartsWith("inconclusive mlp: undecided "), HasSubstr("; 4096 ladders, n = ")));
  const Outcome coarse = run("check c.toml --resolution 0.9");
  EXPECT_EQ(coarse.status, 0) << coarse.output;
  refused("check c.toml --alpha 2", "false_alarm is 2");
  refused("check e.toml --set check.widths=[8,16]",
          "check.widths must hold at least 4 widths, to extrapolate");
  refused("check e.toml --set check.resoluton=1", "did you mean \"resolution\"");
  refused("check e.toml --set check.resolution=wide", "check.resolution is a string, not a number");
  refused("check e.toml --set check.ladders=2", "ladders is 2: it must be at least 8");
  refused("check", "files is required");
}

TEST_F(Check, SeveralExperiments) {
  write("two.toml",
        "[[experiment]]\nname = \"one\"\narchitecture = {name = \"mlp\"}\ninputs = {file = \"a.csv\"}\n"
        "[[experiment]]\nname = \"two\"\narchitecture = {name = \"mlp\", depth = 2}\ninputs = {file = "
        "\"a.csv\"}\n");
  EXPECT_THAT(run("check two.toml --resolution 0.05").output,
              AllOf(HasSubstr("agree     one: "), HasSubstr("agree     two: ")));
  EXPECT_THAT(run("check two.toml --resolution 0.05 --experiment two").output, Not(HasSubstr("one: ")));
  refused("check two.toml --experiment three", "no experiment is called \"three\"; it holds one, two");
}

}  // namespace
}  // namespace nngpcheck::cli
