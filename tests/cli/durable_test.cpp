// Runs that are killed, stopped, refused, divided and merged.
#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A run in chunks of 16 to 256 networks; 800 take less than half a second.
std::string line(const std::string& folder, int networks = 800) {
  return "run e.toml --threads 1 --set architecture.depth=2 --set 'sweep.widths=[1024, 4096, 16384]' "
         "--set sweep.networks=" +
         std::to_string(networks) + " --out " + folder;
}

class Durable : public Executable {
 protected:
  Outcome succeed(const std::string& arguments) const {
    Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.errors;
    return outcome;
  }
  /// Waits until some chunk is recorded.
  void wait_for_records(const std::string& file) const {
    for (int k = 0; k < 4000; ++k) {
      std::error_code none;
      const auto size = fs::file_size(folder_ / file, none);
      if (!none && size > 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL() << file << " stays empty";
  }
};

TEST_F(Durable, KilledAtFiftyMoments) {
  constexpr int networks = 4000;  // two seconds of drawing
  succeed(line("whole", networks));
  const auto begin = std::chrono::steady_clock::now();
  succeed(line("whole", networks));
  const std::chrono::duration<double> without_drawing = std::chrono::steady_clock::now() - begin;
  std::mt19937 engine(1);
  std::uniform_real_distribution<double> moment(0.4, 1.0);
  const auto recorded = [&] {
    std::error_code none;
    const auto size = fs::file_size(folder_ / "cut" / "samples" / "0.log", none);
    return none ? 0 : size;
  };
  int killed = 0, while_drawing = 0, finished = 0;
  while (killed < 50) {
    const auto before = recorded();
    const pid_t child = start(line("cut", networks));
    std::this_thread::sleep_for(moment(engine) * without_drawing);
    ::kill(child, SIGKILL);
    if (ended(child) == -SIGKILL) {
      ++killed;
      while_drawing += recorded() > before && !fs::exists(folder_ / "cut" / "summary.json");
      continue;
    }
    ++finished;
    expect_same("cut", "whole");
    fs::remove_all(folder_ / "cut");
    ASSERT_LT(finished, 100);
  }
  EXPECT_GT(while_drawing, 0);
  RecordProperty("while_drawing", while_drawing);
  succeed(line("cut", networks));
  expect_same("cut", "whole");
}

TEST_F(Durable, InterruptedAtAnyNetwork) {
  succeed(line("whole"));
  for (const int signal : {SIGINT, SIGTERM}) {
    const pid_t child = start(line("cut"));
    wait_for_records("cut/samples/0.log");
    ::kill(child, signal);
    EXPECT_EQ(ended(child), 130);
    EXPECT_THAT(read(beside("errors")),
                AllOf(HasSubstr("nngpcheck: stopped; "), HasSubstr(" of 2400 networks are recorded in cut; "
                                                                   "the same command goes on")));
    EXPECT_FALSE(fs::exists(folder_ / "cut" / "summary.json"));
    EXPECT_THAT(succeed(line("cut")).errors, HasSubstr("cut: goes on; "));
    expect_same("cut", "whole");
    fs::remove_all(folder_ / "cut");
  }
}

TEST_F(Durable, AFullDiskLosesNothing) {
  succeed(line("whole"));
  const Outcome full = run(line("cut"), "ulimit -f 100;");
  EXPECT_EQ(full.status, 64);
  EXPECT_THAT(full.errors, AllOf(HasSubstr("cut/samples/0.log: cannot be written: File too large"),
                                 HasSubstr("make room and run again")));
  EXPECT_GT(fs::file_size(folder_ / "cut" / "samples" / "0.log"), 0u);
  EXPECT_THAT(succeed(line("cut")).errors, HasSubstr("cut: goes on; "));
  expect_same("cut", "whole");
}

TEST_F(Durable, RefusedWhereAnotherProcessRuns) {
  succeed("run e.toml --out out");
  const int descriptor = ::open((folder_ / "out" / "samples" / "0.log").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(descriptor, LOCK_EX), 0);
  const Outcome second = run("run e.toml --out out");
  ::close(descriptor);
  EXPECT_EQ(second.status, 64);
  EXPECT_THAT(second.errors, HasSubstr("0.log: another run is writing it; wait for it or choose another"));
  succeed("run e.toml --out out");
}

TEST_F(Durable, RefusedInAReadOnlyFolder) {
  fs::create_directory(folder_ / "out");
  fs::permissions(folder_ / "out", fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                       fs::perms::others_exec);
  // Nothing is read-only for root.
  const std::string nobody = ::geteuid() == 0 ? "setpriv --reuid 65534 --clear-groups" : "";
  fs::create_directory(folder_ / "open");
  fs::permissions(folder_ / "open", fs::perms::all);
  if (run("run e.toml --out open/out", nobody).status != 0)
    GTEST_SKIP() << "nobody else can run nngpcheck here";
  const Outcome outcome = run("run e.toml --out out", nobody);
  EXPECT_EQ(outcome.status, 64);
  EXPECT_THAT(outcome.errors, HasSubstr("out: cannot be written: Permission denied"));
  EXPECT_THAT(run("run e.toml --out out/run", nobody).errors, HasSubstr("Permission denied"));
}

TEST_F(Durable, AnAlteredRecordIsDrawnAgain) {
  succeed("run e.toml --out out");
  fs::copy(folder_ / "out", folder_ / "whole", fs::copy_options::recursive);
  std::string samples = read(folder_ / "out" / "samples" / "0.log");
  samples[samples.size() / 2] ^= 1;
  write("out/samples/0.log", samples);
  EXPECT_THAT(succeed("run e.toml --out out").errors,
              AllOf(HasSubstr("out/samples/0.log: bytes "), HasSubstr(" are damaged; "),
                    HasSubstr("out: goes on; 12 of 18 networks are recorded")));
  expect_same("out", "whole");
}

TEST_F(Durable, ShardsMakeOneRun) {
  succeed("run e.toml --out whole");
  std::string shards;
  for (const std::string k : {"1", "2", "3"}) {
    EXPECT_THAT(succeed("run e.toml --shard " + k + "/3").output, HasSubstr("12 of 18 networks are missing"));
    shards += " results/e-shard-" + k + "-of-3";
  }
  EXPECT_THAT(succeed("merge" + shards + " --out merged").output,
              AllOf(HasSubstr("mlp: slope "), HasSubstr("merged: report")));
  expect_same("merged", "whole");
  EXPECT_THAT(succeed("merge results/e-shard-2-of-3 --out part").output, HasSubstr("12 of 18 networks"));
  succeed("run e.toml --out part");
  expect_same("part", "whole");
  succeed("run e.toml --out other --set sweep.seed=5");
  const Outcome mixed = run("merge whole other --out mixed");
  EXPECT_EQ(mixed.status, 64);
  EXPECT_THAT(mixed.errors, HasSubstr("other: holds another run (they differ in /0/sweep/seed); merge only"));
  EXPECT_FALSE(fs::exists(folder_ / "mixed"));
}

TEST_F(Durable, RejectsWhatIsNoShard) {
  for (const std::string shard : {"0/3", "4/3", "3", "1/0", "1/3x", "a/b", "1/"}) {
    const Outcome outcome = run("run e.toml --out out --shard " + shard);
    EXPECT_EQ(outcome.status, 64);
    EXPECT_THAT(outcome.errors, HasSubstr("--shard " + shard + ": give I/N with 1 ≤ I ≤ N")) << shard;
    EXPECT_FALSE(fs::exists(folder_ / "out"));
  }
  EXPECT_EQ(run("merge e.toml --out out").status, 64);
  EXPECT_EQ(run("merge --out out").status, 64);
}

TEST_F(Durable, QuietAndOnATerminal) {
  EXPECT_THAT(succeed("run e.toml --out quiet --quiet").errors, IsEmpty());
  const std::string seconds = line("terminal", 6000);
  const auto on_terminal = [&](const std::string& arguments) {
    return run("list >/dev/null; script -qec \"'" NNGPCHECK_EXECUTABLE "' " + arguments + "\" /dev/null")
        .output;
  };
  EXPECT_THAT(on_terminal(seconds), ContainsRegex("[0-9] %, about [0-9]+ (s|min) left: mlp, width "));
  fs::remove_all(folder_ / "terminal");
  EXPECT_THAT(on_terminal(seconds + " --quiet"), Not(HasSubstr("mlp, width ")));
}

// As gnuplot 6 does; a process in the terminal's background is stopped by it, and would be waited for.
TEST_F(Durable, PlotsWithAGnuplotThatSetsTheTerminal) {
  fs::create_directory(folder_ / "bin");
  write("bin/gnuplot", "#!/bin/sh\nstty sane\nPATH=${PATH#*:} exec gnuplot \"$@\"\n");
  fs::permissions(folder_ / "bin" / "gnuplot", fs::perms::owner_all);
  const Outcome outcome = run(
      "list >/dev/null; PATH=\"$PWD/bin:$PATH\" timeout --foreground 100 script -qec \"'" NNGPCHECK_EXECUTABLE
      "' " +
      line("plotted") + "\" /dev/null");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "plotted" / "width_error.png"));
}

// An LSTM's limit takes half a minute.
TEST_F(Durable, LimitsAreShownAndInterrupted) {
  write("lstm.toml", "[architecture]\nname = \"lstm\"\n[inputs]\nfile = \"" NNGPCHECK_SOURCE
                     "/data/sentences.csv\"\n[sweep]\nwidths = [8, 16]\nnetworks = 2\n");
  const auto before = files();
  for (const std::string command : {"kernel lstm.toml", "kernel lstm.toml -o K.npy", "show lstm.toml --plan",
                                    "check lstm.toml --json c.json", "run lstm.toml"}) {
    const std::string interrupted =
        "timeout --foreground --preserve-status -s INT 2 '" NNGPCHECK_EXECUTABLE "' " + command;
    const Outcome outcome = run("list >/dev/null; script -qec \"" + interrupted + "\" /dev/null");
    EXPECT_EQ(outcome.status, 130) << command;
    EXPECT_THAT(outcome.output, HasSubstr("nngpcheck: lstm: stopped")) << command;
    EXPECT_EQ(files(), before) << command;
  }
  const Outcome shown =
      run("list >/dev/null; script -qec \"'" NNGPCHECK_EXECUTABLE "' kernel lstm.toml\" /dev/null");
  EXPECT_THAT(shown.output, AllOf(HasSubstr("lstm: limit, "), HasSubstr("method: paths, ")));
}

TEST_F(Durable, ADryRunWritesNothing) {
  const auto before = files();
  EXPECT_THAT(succeed("run e.toml --dry-run").output,
              AllOf(HasSubstr("mlp: about "), HasSubstr(" of memory, at width 32; "),
                    HasSubstr("Nothing was drawn or written")));
  EXPECT_EQ(files(), before);
  EXPECT_THAT(run("run e.toml --dry-run --memory 1KiB").errors, HasSubstr("the memory budget is"));
}

}  // namespace
}  // namespace nngpcheck::cli
