#include "nngpcheck/compare/runs/run.hpp"

#include <cmath>

#include "nngpcheck/compare/runs/network_row.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"
#include "scratch.hpp"

namespace nngpcheck::compare {
namespace {

using Eigen::MatrixXd;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
namespace fs = std::filesystem;

/// Stands for an interruption.
struct Planned {};

/// A sampler whose networks are off by a number that is a function of (width, network) alone, and which is
/// interrupted when `left` runs out.
Sampler fake(int* left = nullptr) {
  return [left](std::int64_t width, std::uint64_t first, std::uint64_t count, const Sink& sink) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (left && (*left)-- == 0) throw Planned();
      const double size = (1 + 0.3 * std::sin(double(i) + double(width))) / std::sqrt(double(width));
      sink(i, MatrixXd{{2 + size, 1}, {1, 2}}, Eigen::VectorXd{{size, 1 + size * size}});
    }
  };
}

// One, two and three chunks.
const std::vector<std::int64_t> widths = {8, 1 << 14, 1 << 15};
constexpr std::int64_t networks = 20;

Experiment experiment(const std::string& name, Sampler sampler = fake()) {
  Experiment result;
  result.name = name;
  result.description = {{"name", name}, {"sweep", {{"widths", widths}, {"networks", networks}}}};
  result.kernel = {MatrixXd{{2, 1}, {1, 2}},
                   MatrixXd::Zero(2, 2),
                   MatrixXd::Constant(2, 2, 1e-15),
                   0,
                   {"0", "1"},
                   {},
                   "test"};
  result.widths = widths;
  result.networks = networks;
  result.sample = std::move(sampler);
  return result;
}

class Runs : public Scratch {
 protected:
  RunResult run_in(const std::string& folder, const std::vector<Experiment>& experiments) const {
    return run(experiments, folder_ / folder, provenance_);
  }
  /// All but run.json, samples/ and the report, which say who drew what and when.
  void expect_same(const std::string& folder, const std::string& other) const {
    int compared = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / other)) {
      const fs::path name = entry.path().filename();
      if (name == "run.json" || name == "samples" || name.stem() == "report") continue;
      EXPECT_EQ(read(folder_ / folder / name), read(entry.path())) << folder << " " << name;
      ++compared;
    }
    EXPECT_GE(compared, 9);
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
  for (const char* name : {"run.json", "samples.csv", "kernel_a.json", "kernel_b.json", "summary.json",
                           "width_error.svg", "width_error.png", "report.md", "report.html",
                           "empirical_a.json", "samples", "correlation_a.svg", "correlation_b.png"}) {
    EXPECT_TRUE(fs::exists(folder / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 24);
  const auto record = nlohmann::json::parse(read(folder / "run.json"));
  EXPECT_EQ(record["experiments"][1]["name"], "b");
  EXPECT_TRUE(record["versions"].contains("Eigen"));
  EXPECT_TRUE(record["machine"].contains("processor"));
  EXPECT_EQ(nlohmann::json::parse(read(folder / "summary.json")), nlohmann::json(to_json(result.summary)));
  ASSERT_THAT(curves(folder), SizeIs(2));
}

TEST_F(Runs, TellTheirProgress) {
  std::vector<double> fractions;
  std::vector<std::string> texts;
  RunSettings settings;
  settings.progress = Progress(
      [&](std::optional<double> fraction, const std::string& what) {
        if (!fraction) return;
        fractions.push_back(*fraction);
        texts.push_back(what);
      },
      {}, std::chrono::milliseconds(0));
  EXPECT_EQ(run({experiment("a"), experiment("b")}, folder_ / "run", provenance(), settings).drawn, 120);
  ASSERT_THAT(fractions, SizeIs(2 * 3 * networks));
  EXPECT_EQ(texts[1], "a, width 8, 2 of 20 networks");
  EXPECT_EQ(texts.back(), "b, width 32768, 20 of 20 networks");
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_NEAR(fractions.back(), 1, 1e-12);
}

TEST_F(Runs, HaveTheMeanOfTheWidestKernels) {
  const RunResult result = run_in("run", {experiment("a")});
  ASSERT_THAT(result.widest, SizeIs(1));
  const kernels::Kernel& widest = result.widest[0];
  EXPECT_EQ(widest.repeats, networks);
  Moments corner;
  fake()(widths.back(), 0, networks,
         [&](std::uint64_t, const MatrixXd& kernel, const auto&) { corner.add(kernel(0, 0)); });
  EXPECT_NEAR(widest.value(0, 0), corner.mean(), 1e-15);
  EXPECT_NEAR(widest.standard_error(0, 0), std::sqrt(corner.variance() / networks), 1e-15);
  EXPECT_EQ(widest.value(1, 0), 1);
  EXPECT_EQ(widest.standard_error(1, 0), 0);
  const auto file = nlohmann::json::parse(read(folder_ / "run" / "empirical_a.json"));
  EXPECT_EQ(kernels::kernel_from_json(file).value, widest.value);
  EXPECT_EQ(file["method"], "mean of 20 networks of width 32768");
}

/// 1/n, whatever the widths.
Prediction prediction() {
  Prediction result;
  result.relative_c = 1;
  for (const std::int64_t width : widths) {
    const double mean = 1 / static_cast<double>(width);
    result.widths.push_back({width, mean, {0.9 * mean, 1.1 * mean}, true});
  }
  return result;
}

TEST_F(Runs, PredictOnceBeforeTheFirstNetwork) {
  int predictions = 0, left = 30;
  Experiment predicted = experiment("a", fake(&left));
  predicted.predict = [&] {
    ++predictions;
    EXPECT_EQ(left, 30);
    return prediction();
  };
  EXPECT_THROW(run_in("run", {predicted}), Planned);
  EXPECT_TRUE(fs::exists(folder_ / "run" / "predicted_a.json"));
  left = 1000;
  const RunResult result = run_in("run", {predicted});
  EXPECT_EQ(predictions, 1);
  // ‖K̂ − K‖²/‖K‖² is about 1/(10 n).
  EXPECT_NEAR(measured_over_predicted(result.summary.experiments[0])->value, 0.1, 0.02);
  EXPECT_THAT(read(folder_ / "run" / "report.md"), HasSubstr("measured/predicted 0.1"));
  EXPECT_EQ(to_json(curves(folder_ / "run")[0].experiment.predicted.value()).dump(),
            to_json(prediction()).dump());
  // Of parts, the first that knows.
  RunSettings shard;
  shard.shard = {0, 2};
  run({experiment("a")}, folder_ / "one", provenance(), shard);
  shard.shard = {1, 2};
  predicted.sample = fake();
  left = 30;
  run({predicted}, folder_ / "two", provenance(), shard);
  const RunResult merged =
      merge({folder_ / "one", folder_ / "two"}, folder_ / "all", [](const std::string&) {});
  EXPECT_EQ(to_json(merged.summary).dump(), to_json(result.summary).dump());
  write(folder_ / "all" / "predicted_a.json", "{}");
  EXPECT_THAT(error("all", {experiment("a")}), HasSubstr("predicted_a.json: damaged; remove it"));
}

TEST_F(Runs, AreCheckedOnceAndReportIt) {
  int checks = 0;
  Experiment checked = experiment("a");
  checked.check = [&] {
    ++checks;
    CheckResult result;
    result.verdict = Verdict::agree;
    result.bound = 0.0123;
    result.estimate = checked.kernel.value;
    result.rounds.emplace_back().widths = {64, 128};
    return result;
  };
  EXPECT_THAT(run_in("run", {checked}).verdicts,
              testing::ElementsAre(testing::StartsWith("agree: no entry")));
  const std::string report = read(folder_ / "run" / "report.html");
  EXPECT_THAT(report, HasSubstr("no entry off by &gt; 1.3 %"));
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "run" / "check_a.json"))["verdict"], "agree");
  run_in("run", {checked});
  run_in("run", {experiment("a")});
  EXPECT_EQ(checks, 1);
  EXPECT_EQ(read(folder_ / "run" / "report.html"), report);
  run_in("unchecked", {experiment("a")});
  EXPECT_THAT(read(folder_ / "unchecked" / "report.html"), Not(HasSubstr("no entry off by")));
}

TEST_F(Runs, RecordTheKernelAndOutputsOfWatchedInputs) {
  EXPECT_THAT(watched(3), testing::ElementsAre(0, 1, 2));
  EXPECT_THAT(watched(18), testing::ElementsAre(0, 4, 9, 13));
  const RunResult result = run_in("run", {experiment("a")});
  EXPECT_THAT(read(folder_ / "run" / "samples.csv"),
              testing::StartsWith("experiment,width,network,relative_squared_error,kernel_0_0,kernel_0_1,"
                                  "kernel_1_1,output_0,output_1\na,8,0,"));
  std::vector<OutputSamples> samples;
  for (const std::int64_t width : widths) {
    OutputSamples at{width, MatrixXd(networks, 3), MatrixXd(networks, 2)};
    fake()(width, 0, networks, [&](std::uint64_t i, const MatrixXd& kernel, const Eigen::VectorXd& outputs) {
      at.kernels.row(Eigen::Index(i)) << kernel(0, 0), kernel(0, 1), kernel(1, 1);
      at.outputs.row(Eigen::Index(i)) = outputs;
    });
    samples.push_back(at);
  }
  const ExperimentSummary& summary = result.summary.experiments[0];
  EXPECT_EQ(to_json(summary.gaussianity.value()), to_json(gaussianity(samples)));
  EXPECT_THAT(summary.watched, testing::ElementsAre("0", "1"));
  samples.back().outputs(0, 0) += 1;
  EXPECT_NE(to_json(*summary.gaussianity), to_json(gaussianity(samples)));
}

TEST_F(Runs, GoOnAfterAnInterruptionToTheSameResult) {
  run_in("whole", {experiment("a"), experiment("b")});
  for (const int stop : {0, 1, 20, 35, 59, 60, 119}) {
    int left = stop;
    const std::string folder = "stopped" + std::to_string(stop);
    EXPECT_THROW(run_in(folder, {experiment("a", fake(&left)), experiment("b", fake(&left))}), Planned);
    EXPECT_FALSE(fs::exists(folder_ / folder / "summary.json"));
    EXPECT_FALSE(fs::exists(folder_ / folder / "samples.csv"));
    const std::string samples = read(folder_ / folder / "samples" / "0.log");
    write(folder_ / folder / "samples" / "0.log", samples.substr(0, samples.size() - samples.size() / 3));
    run_in(folder, {experiment("a"), experiment("b")});
    expect_same(folder, "whole");
    EXPECT_EQ(read(folder_ / folder / "report.html"), read(folder_ / "whole" / "report.html"));
  }
}

/// Asks to stop when it is asked for the last of so many times.
Progress stopped_after(int questions) {
  return Progress({}, [left = std::make_shared<int>(questions)] { return --*left <= 0; });
}

TEST_F(Runs, StopAtANetworkAndKeepWholeChunks) {
  run_in("whole", {experiment("a")});
  RunSettings settings;
  settings.progress = stopped_after(35);
  const auto message = [&] {
    return message_of<Stopped>([&] { run({experiment("a")}, folder_ / "run", provenance(), settings); });
  };
  EXPECT_THAT(message(), HasSubstr("stopped; 30 of 60 networks are recorded in "));
  int left = 30;
  run_in("run", {experiment("a", fake(&left))});
  EXPECT_EQ(left, 0) << "drawn again";
  expect_same("run", "whole");
  fs::remove(folder_ / "run" / "summary.json");
  settings.progress = stopped_after(1);
  EXPECT_THAT(message(), testing::EndsWith("; the same command goes on")) << "before its results are written";
  EXPECT_FALSE(fs::exists(folder_ / "run" / "summary.json"));
}

TEST_F(Runs, DrawDamagedChunksAgain) {
  run_in("run", {experiment("a")});
  fs::copy(folder_ / "run", folder_ / "whole", fs::copy_options::recursive);
  std::string samples = read(folder_ / "run" / "samples" / "0.log");
  samples[samples.size() / 2] ^= 4;
  write(folder_ / "run" / "samples" / "0.log", samples);
  RunSettings settings;
  std::string notices;
  settings.notice = [&](const std::string& notice) { notices += notice; };
  int left = 10;
  run({experiment("a", fake(&left))}, folder_ / "run", provenance(), settings);
  EXPECT_LE(left, 4) << "one chunk";
  EXPECT_THAT(notices, HasSubstr("0.log: bytes "));
  EXPECT_THAT(notices, HasSubstr("are damaged; the networks"));
  expect_same("run", "whole");
}

TEST_F(Runs, AdmitOneProcess) {
  run_in("run", {experiment("a")});
  const RecordLog other(folder_ / "run" / "samples" / "0.log");
  EXPECT_THAT(error("run", {experiment("a")}), HasSubstr("0.log: another run is writing it"));
}

TEST_F(Runs, AreTheSameFromShards) {
  run_in("whole", {experiment("a"), experiment("b")});
  std::vector<fs::path> shards;
  for (const std::int64_t k : {0, 1, 2}) {
    RunSettings settings;
    settings.shard = {k, 3};
    shards.push_back(folder_ / ("shard" + std::to_string(k)));
    const RunResult result = run({experiment("a"), experiment("b")}, shards.back(), provenance(), settings);
    EXPECT_EQ(result.networks, 120);
    EXPECT_GT(result.missing, 0);
    EXPECT_FALSE(fs::exists(shards.back() / "summary.json"));
  }
  const auto merged = [&](std::vector<fs::path> parts, const std::string& folder) {
    return merge(parts, folder_ / folder, [](const std::string& notice) { ADD_FAILURE() << notice; });
  };
  EXPECT_EQ(merged(shards, "merged").missing, 0);
  expect_same("merged", "whole");
  EXPECT_GT(merged({shards[0], shards[2]}, "two").missing, 0);
  run_in("two", {experiment("a"), experiment("b")});
  expect_same("two", "whole");
  merged({shards[2], shards[1]}, "later");
  EXPECT_EQ(merged({shards[0]}, "later").missing, 0);
  expect_same("later", "whole");
}

TEST_F(Runs, OfDifferentExperimentsAreNotMerged) {
  Experiment other = experiment("a");
  other.description["sweep"]["seed"] = 2;
  run_in("one", {experiment("a")});
  run_in("two", {other});
  const auto error = [&](std::vector<fs::path> parts) {
    return error_of([&] { merge(parts, folder_ / "merged", [](const std::string&) {}); });
  };
  EXPECT_THAT(
      error({folder_ / "one", folder_ / "two"}),
      HasSubstr("two: holds another run (they differ in /0/sweep/seed); merge only parts of one run"));
  EXPECT_THAT(error({folder_ / "none"}), HasSubstr("none: holds no run"));
  fs::remove_all(folder_ / "one" / "samples");
  EXPECT_THAT(error({folder_ / "one"}), HasSubstr("without its records"));
  EXPECT_FALSE(fs::exists(folder_ / "merged"));
}

TEST_F(Runs, ThatAreFinishedNeedNoRecords) {
  run_in("run", {experiment("a")});
  fs::remove_all(folder_ / "run" / "samples");
  const std::string samples = read(folder_ / "run" / "samples.csv");
  RunSettings settings;
  std::string notices;
  settings.notice = [&](const std::string& notice) { notices += notice; };
  int none = 0;
  const RunResult result = run({experiment("a", fake(&none))}, folder_ / "run", provenance(), settings);
  EXPECT_EQ(result.summary.experiments.size(), 1u);
  EXPECT_THAT(notices, HasSubstr("a finished run without its records"));
  EXPECT_FALSE(fs::exists(folder_ / "run" / "samples"));
}

TEST_F(Runs, RejectInfiniteErrors) {
  const Sampler infinite = [](std::int64_t, std::uint64_t, std::uint64_t, const Sink& sink) {
    sink(0, MatrixXd::Constant(2, 2, 1e200), {});
  };
  EXPECT_THAT(error("run", {experiment("a", infinite)}),
              HasSubstr("a: network 0 of width 8 is infinitely far"));
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
  other.description["sweep"]["networks"] = 21;
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
  other.kernel.value(0, 0) += 1e-16;  // within the error bars
  EXPECT_EQ(error("run", {other}), "");
  other.kernel.value(0, 0) += 1e-6;
  EXPECT_THAT(error("run", {other}), HasSubstr("kernel_a.json: not the kernel of this experiment"));
  other = experiment("a");
  other.kernel.labels = {"0", "2"};
  EXPECT_THAT(error("run", {other}), HasSubstr("not the kernel of this experiment"));
}

// As another machine, or another rank, may compute it with other points.
TEST_F(Runs, GoOnWithALimitThatDiffersByItsStandardError) {
  Experiment sampled = experiment("a");
  sampled.kernel.standard_error = MatrixXd::Constant(2, 2, 1e-3);
  sampled.kernel.repeats = 16;
  run_in("run", {sampled});
  const std::string samples = read(folder_ / "run" / "samples.csv");
  Experiment again = sampled;
  again.kernel.value += MatrixXd{{3e-3, -2e-3}, {-2e-3, 1e-3}};
  EXPECT_EQ(error("run", {again}), "");
  EXPECT_EQ(read(folder_ / "run" / "samples.csv"), samples) << "of the kernel that was recorded first";
  again.kernel.value(0, 1) = again.kernel.value(1, 0) += 3e-2;
  EXPECT_THAT(error("run", {again}), HasSubstr("not the kernel of this experiment"));
}

/// Experiments with one and with six inputs.
Experiment of_inputs(const std::string& name, Eigen::Index inputs, bool with_outputs) {
  Experiment result = experiment(name);
  result.kernel.value = MatrixXd::Ones(inputs, inputs) + MatrixXd::Identity(inputs, inputs);
  result.kernel.standard_error = result.kernel.error_bound = MatrixXd::Zero(inputs, inputs);
  result.kernel.labels.assign(static_cast<std::size_t>(inputs), "x");
  result.sample = [kernel = result.kernel.value, with_outputs](std::int64_t width, std::uint64_t first,
                                                               std::uint64_t count, const Sink& sink) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      const double size = 1 + 0.5 * std::sin(double(i)) / std::sqrt(double(width));
      const Eigen::VectorXd outputs = Eigen::VectorXd::Constant(kernel.rows(), size);
      sink(i, size * kernel, with_outputs ? outputs : Eigen::VectorXd());
    }
  };
  return result;
}

TEST_F(Runs, HaveNoColumnsThatMeanNothing) {
  run_in("one", {of_inputs("a", 1, true)});
  const std::string one = read(folder_ / "one" / "samples.csv");
  EXPECT_THAT(one, testing::StartsWith(
                       "experiment,width,network,relative_squared_error,kernel_0_0,output_0\na,8,0,0,2,1\n"));
  run_in("both", {of_inputs("a", 1, true), of_inputs("b", 6, false)});
  const std::string both = read(folder_ / "both" / "samples.csv");
  EXPECT_THAT(both, HasSubstr(",kernel_3_3,output_0,output_1,output_2,output_3\na,8,0,0,2,,,,,,,,,,1,,,\n"));
  EXPECT_THAT(both, HasSubstr("\nb,8,0,0,2,1,2,1,1,2,1,1,1,2,,,,\n"));
  EXPECT_THAT(one + both, Not(HasSubstr("nan")));
}

TEST_F(Runs, OfOneWidthHaveNoRateButAllElse) {
  Experiment narrow = experiment("a");
  narrow.widths = {8};
  narrow.description["sweep"]["widths"] = narrow.widths;
  const RunResult result = run_in("run", {narrow});
  EXPECT_EQ(result.warning, "");
  EXPECT_FALSE(result.summary.experiments[0].rate);
  EXPECT_THAT(read(folder_ / "run" / "report.html"), HasSubstr("no slope from one width"));
  EXPECT_THAT(curves(folder_ / "run"), SizeIs(1));
}

TEST_F(Runs, RefuseResultsThatDoNotFitTheMemory) {
  Experiment large = experiment("a");
  large.networks = 1'000'000'000'000;
  EXPECT_THAT(error("run", {large}),
              AllOf(HasSubstr("a: the results of 1000000000000 networks of 3 widths take about 2.88e+05 GB"),
                    HasSubstr(" are available; ask for fewer networks")));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Runs, RejectAKernelOfZero) {
  Experiment zero = experiment("a");
  zero.kernel.value.setZero();
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
