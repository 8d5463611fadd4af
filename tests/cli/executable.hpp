// Runs the built executable as a person would, in an empty folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace nngpcheck::cli {

namespace fs = std::filesystem;

inline std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Outcome {
  int status;
  std::string output;
  std::string errors;
};

class Executable : public testing::Test {
 protected:
  Executable() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = std::string(test->test_suite_name()) + "-" + test->name();
    scratch_ = fs::temp_directory_path() / ("nngpcheck-" + name + "-" + std::to_string(getpid()));
    folder_ = scratch_ / "folder";
    fs::create_directories(folder_);
    write("a.csv", "x0,x1\n1,0\n0,1\n1,1\n");
    write("e.toml", experiment);
  }
  ~Executable() override { fs::remove_all(scratch_); }

  void write(const std::string& name, const std::string& contents) const {
    std::ofstream(folder_ / name, std::ios::binary) << contents;
  }

  /// What `nngpcheck ARGUMENTS` does; the arguments are a line of shell.
  Outcome run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.string() + "' && '" NNGPCHECK_EXECUTABLE "' " + arguments +
                                " >'" + (scratch_ / "output").string() + "' 2>'" +
                                (scratch_ / "errors").string() + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(scratch_ / "output"),
            read(scratch_ / "errors")};
  }

  std::set<std::string> files() const {
    std::set<std::string> result;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) result.insert(entry.path().string());
    return result;
  }

  static inline const std::string experiment =
      "[architecture]\nname = \"mlp\"\nactivation = \"relu\"\n[inputs]\nfile = \"a.csv\"\n"
      "[sweep]\nwidths = [8, 16, 32]\nnetworks = 6\nseed = 1\n";

  fs::path scratch_;
  fs::path folder_;
};

}  // namespace nngpcheck::cli
