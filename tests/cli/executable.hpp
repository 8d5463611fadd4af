// Runs the built executable as a person would, in an empty folder.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "tests/scratch.hpp"

namespace nngpcheck::cli {

namespace fs = std::filesystem;

struct Outcome {
  int status;
  std::string output;
  std::string errors;
};

class Executable : public Scratch {
 protected:
  Executable() {
    write("a.csv", "x0,x1\n1,0\n0,1\n1,1\n");
    write("e.toml", experiment);
  }
  ~Executable() override {
    fs::remove(beside("output"));
    fs::remove(beside("errors"));
  }

  /// What `BEFORE nngpcheck ARGUMENTS` does; both are parts of a line of shell.
  Outcome run(const std::string& arguments, const std::string& before = "") const {
    const fs::path output = beside("output"), errors = beside("errors");
    const std::string command = "cd '" + folder_.string() + "' && " + before +
                                " '" NNGPCHECK_EXECUTABLE "' " + arguments + " >'" + output.string() +
                                "' 2>'" + errors.string() + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(output), read(errors)};
  }

  /// The same, started and left to itself; standard error goes to `errors` beside the folder.
  pid_t start(const std::string& arguments, const std::string& before = "") const {
    const std::string command =
        "cd '" + folder_.string() + "' && exec " + before + " '" NNGPCHECK_EXECUTABLE "' " + arguments +
        " >'" + beside("output").string() + "' 2>'" + beside("errors").string() + "' </dev/null";
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    return child;
  }

  /// Waits for a started process to end: its exit status, or minus the signal that killed it.
  static int ended(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Everything but samples/, run.json and report.html, which say who drew what and when, is the same in two
  /// runs.
  void expect_same(const std::string& folder, const std::string& other) const {
    int compared = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / other)) {
      const fs::path name = entry.path().filename();
      if (name == "run.json" || name == "report.html" || name == "samples") continue;
      EXPECT_EQ(read(folder_ / folder / name), read(entry.path())) << folder << " " << name;
      ++compared;
    }
    EXPECT_GE(compared, 9);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / folder), {}), compared + 3) << folder;
  }

  std::set<std::string> files() const {
    std::set<std::string> result;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) result.insert(entry.path().string());
    return result;
  }

  static inline const std::string experiment =
      "[architecture]\nname = \"mlp\"\nactivation = \"relu\"\n[inputs]\nfile = \"a.csv\"\n"
      "[sweep]\nwidths = [8, 16, 32]\nnetworks = 6\nseed = 1\n";

  /// A file that is not in the folder.
  fs::path beside(const std::string& extension) const { return folder_.string() + "." + extension; }
};

}  // namespace nngpcheck::cli
