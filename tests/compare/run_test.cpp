#include "compare/run.hpp"

#include <cmath>

#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::HasSubstr;
using testing::SizeIs;
namespace fs = std::filesystem;

/// Stands for an interruption.
struct Interrupted {};

/// A sampler whose networks are off by a number that is a function of (width, network) alone, and which is
/// interrupted when `left` runs out.
Sampler fake(int* left = nullptr) {
  return [left](std::int64_t width, std::uint64_t first, std::uint64_t count, const Sink& sink) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (left && (*left)-- == 0) throw Interrupted();
      const double size = (1 + 0.3 * std::sin(double(i) + double(width))) / std::sqrt(double(width));
      sink(i, MatrixXd{{2 + size, 1}, {1, 2}});
    }
  };
}

Experiment experiment(const std::string& name, Sampler sampler = fake()) {
  Experiment result;
  result.name = name;
  result.description = {{"name", name}, {"sweep", {{"widths", {8, 16, 32}}, {"networks", 5}}}};
  result.kernel = {
      MatrixXd{{2, 1}, {1, 2}}, MatrixXd::Zero(2, 2), MatrixXd::Constant(2, 2, 1e-15), {"0", "1"}, "test"};
  result.widths = {8, 16, 32};
  result.networks = 5;
  result.sample = std::move(sampler);
  return result;
}

class Runs : public Scratch {
 protected:
  RunResult run_in(const std::string& folder, const std::vector<Experiment>& experiments) const {
    return run(experiments, folder_ / folder, provenance_);
  }
  std::string error(const std::string& folder, const std::vector<Experiment>& experiments) const {
    return error_of([&] { run_in(folder, experiments); });
  }

  const nlohmann::ordered_json provenance_ = provenance();
};

TEST_F(Runs, LeaveAFolderThatDescribesItself) {
  const RunResult result = run_in("new/run", {experiment("a"), experiment("b")});
  EXPECT_EQ(result.warning, "");
  EXPECT_NEAR(result.summary.experiments[0].rate->slope, -1, 0.2);
  const fs::path folder = folder_ / "new" / "run";
  for (const char* name :
       {"run.json", "samples.csv", "kernel_a.json", "kernel_b.json", "summary.json", "width_error.svg",
        "width_error.png", "report.md", "report.html", "correlation_a.svg", "correlation_b.png"}) {
    EXPECT_TRUE(fs::exists(folder / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 13);
  const auto record = nlohmann::json::parse(read(folder / "run.json"));
  EXPECT_EQ(record["experiments"][1]["name"], "b");
  EXPECT_TRUE(record["versions"].contains("Eigen"));
  EXPECT_TRUE(record["machine"].contains("processor"));
  EXPECT_EQ(nlohmann::json::parse(read(folder / "summary.json")), nlohmann::json(to_json(result.summary)));
  ASSERT_THAT(curves(folder), SizeIs(2));
}

TEST_F(Runs, TellTheirProgress) {
  std::vector<double> fractions;
  run({experiment("a"), experiment("b")}, folder_ / "run", provenance(),
      [&](const Progress& p) { fractions.push_back(p.fraction); });
  ASSERT_THAT(fractions, SizeIs(30));
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_NEAR(fractions.back(), 1, 1e-12);
}

TEST_F(Runs, GoOnAfterAnInterruptionToTheSameResult) {
  run_in("whole", {experiment("a"), experiment("b")});
  for (const int stop : {0, 1, 5, 14, 15, 29}) {
    int left = stop;
    const std::string folder = "stopped" + std::to_string(stop);
    EXPECT_THROW(run_in(folder, {experiment("a", fake(&left)), experiment("b", fake(&left))}), Interrupted);
    EXPECT_FALSE(fs::exists(folder_ / folder / "summary.json"));
    const std::string samples = read(folder_ / folder / "samples.csv");
    write(folder_ / folder / "samples.csv", samples.substr(0, samples.size() - samples.size() / 3));
    run_in(folder, {experiment("a"), experiment("b")});
    for (const char* name : {"samples.csv", "summary.json", "report.md", "report.html", "kernel_a.json",
                             "width_error.svg", "correlation_a.svg"}) {
      EXPECT_EQ(read(folder_ / folder / name), read(folder_ / "whole" / name)) << stop << " " << name;
    }
  }
}

TEST_F(Runs, DoNotSampleAgainWhatIsThere) {
  run_in("run", {experiment("a")});
  const std::string record = read(folder_ / "run" / "run.json");
  int none = 0;
  EXPECT_NO_THROW(run_in("run", {experiment("a", fake(&none))}));
  EXPECT_EQ(read(folder_ / "run" / "run.json"), record);
}

TEST_F(Runs, LeaveOtherFoldersAlone) {
  run_in("run", {experiment("a")});
  Experiment other = experiment("a");
  other.description["sweep"]["networks"] = 6;
  EXPECT_THAT(error("run", {other}), HasSubstr("holds another run (they differ in /0/sweep/networks)"));
  EXPECT_THAT(error("run", {experiment("a"), experiment("b")}), HasSubstr("holds another run"));
  fs::create_directories(folder_ / "photos");
  write(folder_ / "photos" / "cat.png", "cat");
  EXPECT_THAT(error("photos", {experiment("a")}),
              HasSubstr("photos: holds files, but no run; choose another folder"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "photos"), {}), 1);
  write(folder_ / "file", "");
  EXPECT_THAT(error("file", {experiment("a")}), HasSubstr("file: cannot hold a run: not a folder"));
  EXPECT_THAT(error("file/run", {experiment("a")}), HasSubstr("not a folder"));
  write(folder_ / "run" / "run.json", "{}");
  EXPECT_THAT(error("run", {experiment("a")}), HasSubstr("run.json: missing or damaged"));
}

TEST_F(Runs, RejectAKernelThatChanged) {
  run_in("run", {experiment("a")});
  Experiment other = experiment("a");
  other.kernel.kernel(0, 0) += 1e-16;  // within the error bars
  EXPECT_EQ(error("run", {other}), "");
  other.kernel.kernel(0, 0) += 1e-6;
  EXPECT_THAT(error("run", {other}), HasSubstr("kernel_a.json: not the kernel of this experiment"));
  other = experiment("a");
  other.kernel.labels = {"0", "2"};
  EXPECT_THAT(error("run", {other}), HasSubstr("not the kernel of this experiment"));
}

TEST_F(Runs, RejectAKernelOfZero) {
  Experiment zero = experiment("a");
  zero.kernel.kernel.setZero();
  EXPECT_THAT(error("run", {zero}), HasSubstr("the analytic kernel is zero"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Runs, HaveCurvesOnlyWhenFinished) {
  EXPECT_THAT(error_of([&] { curves(folder_); }), HasSubstr("no finished run here"));
  write(folder_ / "summary.json", "{");
  EXPECT_THAT(error_of([&] { curves(folder_); }), HasSubstr("summary.json: "));
}

}  // namespace
}  // namespace nngpcheck::compare
