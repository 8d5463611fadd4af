#include <nlohmann/json.hpp>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Run : public Executable {
 protected:
  Outcome succeed(const std::string& arguments) const {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.errors;
    return outcome;
  }
};

TEST_F(Run, LeavesTheEvidence) {
  const Outcome outcome = succeed("run e.toml --out out");
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("mlp: slope "), HasSubstr("predicted"),
                                    HasSubstr("out: report.html, report.md")));
  const auto summary = nlohmann::json::parse(read(folder_ / "out" / "summary.json"));
  const auto& mlp = summary["experiments"][0];
  EXPECT_TRUE(mlp["slope"].is_number());
  EXPECT_EQ(mlp["widths"][2]["width"], 32);
  EXPECT_EQ(mlp["widths"][2]["networks"], 6);
  const auto record = nlohmann::json::parse(read(folder_ / "out" / "run.json"));
  EXPECT_EQ(record["experiments"][0]["sweep"]["seed"], 1);
  EXPECT_TRUE(record["versions"]["LibTorch"].is_string());
  EXPECT_TRUE(record["versions"]["BLAS"].is_string());
  const std::string page = read(folder_ / "out" / "report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("nngpcheck run e.toml</pre>"), HasSubstr("How the limit is computed"),
                          HasSubstr("g1 := dense1.W D1")));
}

TEST_F(Run, PredictsUnlessAskedNotTo) {
  succeed("run e.toml --out out");
  const auto predicted = nlohmann::json::parse(read(folder_ / "out" / "predicted_mlp.json"));
  EXPECT_GT(predicted["relative_c"].get<double>(), 0);
  EXPECT_EQ(predicted["widths"].size(), 3U);
  const Outcome plain = succeed("run e.toml --no-law --out plain");
  EXPECT_THAT(plain.output, Not(HasSubstr("predicted")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "plain" / "predicted_mlp.json"));
  const auto record = nlohmann::json::parse(read(folder_ / "plain" / "run.json"));
  EXPECT_EQ(record["command"], "nngpcheck run e.toml --no-law");
}

TEST_F(Run, RecordsTheCommandThatRepeatsIt) {
  const std::string arguments =
      "run e.toml --set 'architecture.activation=\"erf\"' --set sweep.seed=2 --sampler dense";
  succeed(arguments + " --threads 1 --out out");
  const auto record = nlohmann::json::parse(read(folder_ / "out" / "run.json"));
  EXPECT_EQ(record["command"], "nngpcheck " + arguments);
  succeed(arguments + " --out again");
  EXPECT_EQ(read(folder_ / "again" / "report.md"), read(folder_ / "out" / "report.md"));
}

TEST_F(Run, ReadsOutEveryLayer) {
  succeed("run e.toml --set architecture.depth=2 --layers --out out");
  const auto summary = nlohmann::json::parse(read(folder_ / "out" / "summary.json"));
  std::string names;
  for (const auto& layer : summary["experiments"]) {
    names += layer["name"].get<std::string>() + " ";
    EXPECT_EQ(layer["widths"][2]["networks"], 6);
  }
  EXPECT_EQ(names, "mlp-dense1 mlp-activation1 mlp-dense2 mlp-activation2 ");
  const auto record = nlohmann::json::parse(read(folder_ / "out" / "run.json"));
  EXPECT_EQ(record["experiments"][1]["layer"], "activation1");
  EXPECT_THAT(record["command"].get<std::string>(), HasSubstr(" --layers"));
  const Outcome another = run("run e.toml --set architecture.depth=2 --out out");
  EXPECT_EQ(another.status, 64);
  EXPECT_THAT(another.errors, HasSubstr("out: holds another run"));
}

TEST_F(Run, ChoosesAFolderByTheFilesName) {
  succeed("run e.toml");
  EXPECT_TRUE(fs::exists(folder_ / "results" / "e" / "summary.json"));
}

TEST_F(Run, GoesOnAndDoesNotDependOnThreads) {
  succeed("run e.toml --out whole --threads 1");
  succeed("run e.toml --out cut --threads 2");
  expect_same("cut", "whole");
  const std::string samples = read(folder_ / "cut" / "samples" / "0.log");
  write("cut/samples/0.log", samples.substr(0, samples.size() / 2));
  EXPECT_THAT(succeed("run e.toml --out cut").errors,
              HasSubstr("cut: goes on; 6 of 18 networks are recorded"));
  expect_same("cut", "whole");
  const Outcome again = succeed("run e.toml --out cut");
  EXPECT_EQ(again.errors, "cut holds all networks of this run already; none was sampled\n");
}

TEST_F(Run, RefusesAFolderOfAnotherRun) {
  succeed("run e.toml --out out");
  const Outcome outcome = run("run e.toml --out out --set sweep.networks=7");
  EXPECT_EQ(outcome.status, 64);
  EXPECT_THAT(outcome.errors, HasSubstr("out: holds another run (they differ in /0/sweep/networks)"));
  write("a.csv", "x0,x1\n1,0\n0,1\n1,2\n");
  EXPECT_THAT(run("run e.toml --out out").errors, HasSubstr("not the kernel of this experiment"));
}

TEST_F(Run, SeedsAndPrecisionMatter) {
  succeed("run e.toml --out one");
  succeed("run e.toml --out two --set sweep.seed=2");
  succeed("run e.toml --out single --set sweep.precision=float32");
  EXPECT_NE(read(folder_ / "one" / "samples.csv"), read(folder_ / "two" / "samples.csv"));
  EXPECT_NE(read(folder_ / "one" / "samples.csv"), read(folder_ / "single" / "samples.csv"));
}

TEST_F(Run, PlotsOneAndSeveral) {
  succeed("run e.toml --out one");
  succeed("run e.toml --out two --set sweep.seed=2");
  fs::remove(folder_ / "one" / "width_error.png");
  succeed("plot one");
  EXPECT_TRUE(fs::exists(folder_ / "one" / "width_error.png"));
  succeed("plot one two");
  EXPECT_THAT(read(folder_ / "width_error.svg"), AllOf(HasSubstr("one mlp"), HasSubstr("two mlp")));
  succeed("plot one two -o both");
  EXPECT_TRUE(fs::exists(folder_ / "both.png"));
}

TEST_F(Run, RunsTheDemosExperiment) {
  succeed("run " NNGPCHECK_SOURCE
          "/experiments/figure3.toml --out out --set 'sweep.widths=[8, 16]' --set sweep.networks=3 --no-law");
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "out" / "summary.json"))["experiments"].size(), 4u);
  for (const char* file : {"correlation_gru.svg", "correlation_batchnorm_mlp.png", "width_error.svg"}) {
    EXPECT_TRUE(fs::exists(folder_ / "out" / file)) << file;
  }
}

TEST_F(Run, SamplerIsChosenAndRecorded) {
  for (const std::string sampler : {"dense", "exact", "auto"}) {
    succeed("run e.toml --set architecture.depth=2 --sampler " + sampler + " --out " + sampler);
    EXPECT_EQ(nlohmann::json::parse(read(folder_ / sampler / "run.json"))["experiments"][0]["sampler"],
              sampler);
  }
  EXPECT_NE(read(folder_ / "dense" / "samples.csv"), read(folder_ / "exact" / "samples.csv"));
  // Where every weight has one use, exact is cheaper.
  EXPECT_EQ(read(folder_ / "auto" / "samples.csv"), read(folder_ / "exact" / "samples.csv"));
  EXPECT_EQ(run("run e.toml --sampler dense --out exact").status, 64) << "another run";
}

TEST_F(Run, ExperimentsThatComeWithTheProjectAreValid) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(NNGPCHECK_SOURCE "/experiments")) {
    succeed("show " + entry.path().string());
    ++files;
  }
  EXPECT_GE(files, 8);
}

}  // namespace
}  // namespace nngpcheck::cli
