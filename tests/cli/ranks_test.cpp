// Runs of several processes under mpirun.
#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::HasSubstr;

class RanksOfMpi : public Executable {
 protected:
  void SetUp() override {
    if (std::string(NNGPCHECK_MPIRUN).empty()) GTEST_SKIP() << "built without MPI (libopenmpi-dev)";
    if (!fs::exists(NNGPCHECK_MPIRUN)) GTEST_SKIP() << "no mpirun (openmpi-bin)";
  }

  static std::string mpirun(int ranks) {
    return NNGPCHECK_MPIRUN " --oversubscribe --allow-run-as-root --bind-to none -n " + std::to_string(ranks);
  }

  static inline const std::string arguments =
      "run e.toml --threads 1 --set architecture.depth=2 --set 'sweep.widths=[1024, 4096, 16384]' "
      "--set sweep.networks=400 --out ";
};

TEST_F(RanksOfMpi, AgreeToTheBit) {
  ASSERT_EQ(run(arguments + "whole").status, 0);
  for (const int ranks : {1, 2, 3}) {
    const std::string folder = "ranks" + std::to_string(ranks);
    const Outcome outcome = run(arguments + folder, mpirun(ranks));
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr("mlp: slope "));
    EXPECT_TRUE(fs::exists(folder_ / folder / "samples" / (std::to_string(ranks - 1) + ".log")));
    expect_same(folder, "whole");
  }
}

TEST_F(RanksOfMpi, ShareTheTilesOfAKernel) {
  std::string many = "x0,x1\n";
  for (int k = 0; k < 300; ++k) many += std::to_string(k % 7 - 3) + "," + std::to_string(0.01 * k) + "\n";
  write("many.csv", many);
  const std::string kernel = "kernel e.toml --set inputs.file=many.csv";
  ASSERT_EQ(run(kernel + " -o whole.json").status, 0);
  for (const int ranks : {1, 2, 3}) {
    const Outcome outcome = run(kernel + " -o shared.json", mpirun(ranks));
    EXPECT_EQ(outcome.status, 0) << outcome.errors;
    EXPECT_EQ(read(folder_ / "shared.json"), read(folder_ / "whole.json")) << ranks;
  }
  EXPECT_EQ(run(kernel, mpirun(2)).output, run(kernel).output);
  const Outcome block = run(kernel + " --block 1/1 -o part", mpirun(2));
  EXPECT_EQ(block.status, 0) << block.errors;
  EXPECT_EQ(run("merge part --out shared.json").status, 0);
  EXPECT_EQ(read(folder_ / "shared.json"), read(folder_ / "whole.json"));
  const Outcome wrong = run(kernel + " -o K.txt", mpirun(2));
  EXPECT_EQ(wrong.status, 64);
  EXPECT_THAT(wrong.errors, HasSubstr("K.txt: a kernel file must end in"));
}

TEST_F(RanksOfMpi, OneThatDiesLeavesAFolderToGoOnWith) {
  ASSERT_EQ(run(arguments + "whole").status, 0);
  const pid_t child = start(arguments + "cut", mpirun(2));
  const fs::path log = folder_ / "cut" / "samples" / "1.log";
  std::error_code none;
  for (int k = 0; k < 4000 && !(fs::exists(log) && fs::file_size(log, none) > 0); ++k)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::string id = std::to_string(child);
  std::istringstream ranks(read("/proc/" + id + "/task/" + id + "/children"));
  pid_t rank = 0;
  while (ranks >> rank) {
  }
  ASSERT_GT(rank, 0);
  ::kill(rank, SIGKILL);
  EXPECT_NE(ended(child), 0);
  EXPECT_FALSE(fs::exists(folder_ / "cut" / "summary.json"));
  const Outcome next = run(arguments + "cut");
  EXPECT_EQ(next.status, 0) << next.errors;
  EXPECT_THAT(next.errors, HasSubstr("cut: goes on; "));
  expect_same("cut", "whole");
}

TEST_F(RanksOfMpi, OneThatFailsEndsAll) {
  fs::create_directories(folder_ / "out" / "samples");
  const int descriptor =
      ::open((folder_ / "out" / "samples" / "1.log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  ASSERT_EQ(run("run e.toml --out first").status, 0);
  fs::copy_file(folder_ / "first" / "run.json", folder_ / "out" / "run.json");
  ASSERT_EQ(::flock(descriptor, LOCK_EX), 0);
  const Outcome outcome = run("run e.toml --out out", mpirun(2));
  ::close(descriptor);
  EXPECT_EQ(outcome.status, 64);
  EXPECT_THAT(outcome.errors, HasSubstr("1.log: another run is writing it"));
}

}  // namespace
}  // namespace nngpcheck::cli
