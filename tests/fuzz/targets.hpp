// Everything that reads what users write, as a function of the bytes of one file: for libFuzzer, and for the
// test that replays the corpus.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::testing {

struct Target {
  std::string name;  // of its folder in corpus/
  std::string file;  // what the file is called; its extension may say the format
  void (*read)(const std::filesystem::path& file);
};

/// What GoogleTest calls a target.
inline void PrintTo(const Target& target, std::ostream* stream) { *stream << target.name; }

const std::vector<Target>& targets();

/// A folder of its own for the file to read, beside files that it may refer to: points.csv, tokens.csv,
/// edges.csv, keys.toml, kernel_a.json.
class Workplace {
 public:
  /// Throws std::out_of_range if no target has that name.
  explicit Workplace(const std::string& target);
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  /// Reads a file of these bytes; true if it is valid, false for an Error. Everything else is thrown.
  bool read(std::string_view bytes) const;

 private:
  const Target& target_;
  std::filesystem::path folder_;
};

}  // namespace nngpcheck::testing
