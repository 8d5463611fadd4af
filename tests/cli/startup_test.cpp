// Commands that draw no networks load no LibTorch, and so start at once.
#include <sys/resource.h>

#include "executable.hpp"

namespace nngpcheck::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string commands_at_once[] = {"--version",
                                        "--help",
                                        "list",
                                        "show mlp",
                                        "show e.toml --plan",
                                        "dual relu 1 1 0.5",
                                        "kernel e.toml",
                                        "import " NNGPCHECK_TEST_DATA
                                        "/../import/archives/bag_of_words.nngp"};
const std::string laws[] = {"law e.toml --quiet", "width e.toml --error 1% --quiet"};

class StartUp : public Executable {
 protected:
  /// The files that the dynamic linker loads, at start or later.
  std::string loaded(const std::string& arguments, int status = 0) const {
    const std::string log = beside("libraries").string();
    const Outcome outcome = run(arguments, "LD_DEBUG=files LD_DEBUG_OUTPUT='" + log + "'");
    EXPECT_EQ(outcome.status, status) << arguments << "\n" << outcome.errors;
    std::string result;
    for (const auto& entry : fs::directory_iterator(folder_.parent_path())) {
      if (!entry.path().string().starts_with(log)) continue;
      result += read(entry.path());
      fs::remove(entry.path());
    }
    return result;
  }

  /// Of the fastest of five.
  double cpu_seconds(const std::string& arguments) const {
    double least = INFINITY;
    for (int k = 0; k < 5; ++k) {
      const double before = children_seconds();
      EXPECT_EQ(run(arguments).status, 0) << arguments;
      least = std::min(least, children_seconds() - before);
    }
    return least;
  }

 private:
  static double children_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
};

TEST_F(StartUp, LoadsNoLibTorch) {
  std::vector<std::string> commands(std::begin(commands_at_once), std::end(commands_at_once));
  commands.insert(commands.end(), std::begin(laws), std::end(laws));
  for (const std::string& command : commands) {
    const std::string libraries = loaded(command);
    EXPECT_THAT(libraries, HasSubstr("libstdc++")) << command;
    EXPECT_THAT(libraries, Not(HasSubstr("libtorch"))) << command;
    EXPECT_THAT(libraries, Not(HasSubstr("libmpi"))) << command;
  }
}

#ifdef NNGPCHECK_LIBTORCH
TEST_F(StartUp, LoadsItForNetworks) { EXPECT_THAT(loaded("run e.toml --dry-run"), HasSubstr("libtorch")); }

// Beside one that loads it, since machines differ, and one machine from hour to hour; seconds are in
// docs/performance.md.
TEST_F(StartUp, TakesNoTime) {
  const double with_libtorch = cpu_seconds("run e.toml --dry-run");
  for (const std::string& command : commands_at_once)
    EXPECT_LE(cpu_seconds(command), with_libtorch / 4) << command;
}

TEST_F(StartUp, ErrorsAndSignalsAreThoseOfOneProcess) {
  EXPECT_THAT(loaded("run e.toml --nonsense", 64), Not(HasSubstr("libtorch")));
  EXPECT_THAT(loaded("run none.toml", 64), HasSubstr("libtorch"));
  const pid_t child = start("check e.toml --set check.time=1000 --resolution 1e-9");
  ::sleep(3);
  ::kill(child, SIGINT);
  EXPECT_EQ(ended(child), 130) << read(beside("errors"));
}

TEST_F(StartUp, ItsOtherHalfMayBeMissing) {
  fs::copy_file(NNGPCHECK_EXECUTABLE, folder_ / "nngpcheck");
  const auto alone = [&](const std::string& arguments) {
    return std::system(
        ("cd '" + folder_.string() + "' && ./nngpcheck " + arguments + " >output 2>errors").c_str());
  };
  EXPECT_EQ(WEXITSTATUS(alone("dual relu 1 1 0.5")), 0);
  EXPECT_EQ(WEXITSTATUS(alone("check e.toml")), 64);
  EXPECT_THAT(read(folder_ / "errors"), HasSubstr("nngpcheck: check draws networks, for which there is no "));
  EXPECT_THAT(read(folder_ / "output"), IsEmpty());
}
#else
TEST_F(StartUp, WithoutLibTorchNoNetworksAreDrawn) {
  EXPECT_THAT(run("--version").output, HasSubstr("without LibTorch"));
  for (const std::string command : {"run e.toml", "check e.toml", "power e.toml"}) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 64) << command;
    EXPECT_THAT(outcome.errors, HasSubstr("draws networks, for which there is no ")) << command;
  }
}
#endif

}  // namespace
}  // namespace nngpcheck::cli
