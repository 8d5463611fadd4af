// Runs the built executable as a person would, in an empty folder.
#pragma once

#include <sys/wait.h>

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

  /// What `nngpcheck ARGUMENTS` does; the arguments are a line of shell.
  Outcome run(const std::string& arguments) const {
    const fs::path output = beside("output"), errors = beside("errors");
    const std::string command = "cd '" + folder_.string() + "' && '" NNGPCHECK_EXECUTABLE "' " + arguments +
                                " >'" + output.string() + "' 2>'" + errors.string() + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(output), read(errors)};
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
