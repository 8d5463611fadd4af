// Private to import/: what an import finds out about a model on the way.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace nngpcheck::importer {

/// How a parameter is used, over all runs of an import.
struct Usage {
  bool read_out = false;     // summed over its width with the network's values
  bool vector = false;       // as a vector otherwise
  bool contracted = false;   // as a vector, summed over its finite fan-in, or looked up
  bool summed_axis[2] = {};  // as a matrix: which axis is summed over
  bool inner = false;        // read out inside the network
  bool output_bias = false;  // added to what was read out
};

/// Something to tell the user. `code` is "kind:where".
struct Diagnosis {
  std::string code;
  std::string text;  // with the place in the model's source
};

/// What one run found; the first diagnosis of each code counts.
class Report {
 public:
  std::map<std::string, Usage>& usage() { return usage_; }
  const std::map<std::string, Usage>& usage() const { return usage_; }

  void begin_run() {
    diagnoses_.clear();
    codes_.clear();
    vanished_.clear();
    diverged_.clear();
    heavy_.clear();
    without_kernel_.clear();
  }
  void set_place(const std::string& place) { place_ = place; }
  const std::string& place() const { return place_; }

  void add(const std::string& code, const std::string& text) { add(code, text, place_); }
  void add(const std::string& code, const std::string& text, const std::string& place) {
    if (codes_.insert(code).second)
      diagnoses_.push_back({code, place.empty() ? text : text + " (" + place + ")"});
  }
  const std::vector<Diagnosis>& diagnoses() const { return diagnoses_; }
  bool has(const std::string& kind) const {
    for (const std::string& code : codes_)
      if (code == kind || code.starts_with(kind + ":")) return true;
    return false;
  }

  /// Parameters by name, and the place where that was found first.
  using Parameters = std::map<std::string, std::string>;
  /// Whose contribution vanishes as n grows.
  void vanishes(const std::string& name) { vanished_.try_emplace(name, place_); }
  const Parameters& vanished() const { return vanished_; }
  /// Weights whose variance times fan-in grows with n, whether or not that is made up for.
  void is_heavy(const std::string& name) { heavy_.try_emplace(name, place_); }
  const Parameters& heavy() const { return heavy_; }
  /// Whose contribution diverges.
  std::set<std::string>& diverged() { return diverged_; }

  /// A parameter of another law than the normal and the uniform one decides the limit.
  void has_no_kernel(const std::string& name) { without_kernel_.insert(name); }
  bool has_kernel() const { return without_kernel_.empty(); }

  /// A name with an address that stays.
  const std::string* name(const std::string& text) { return &*names_.insert(text).first; }

 private:
  std::map<std::string, Usage> usage_;
  std::set<std::string> names_;
  std::vector<Diagnosis> diagnoses_;
  std::set<std::string> codes_, diverged_, without_kernel_;
  Parameters vanished_, heavy_;
  std::string place_;
};

/// Why a model has no program at all: the verdict, a code and a text.
struct Refusal {
  std::string verdict;  // "reject", "outside"
  std::string code;
  std::string text;
};

}  // namespace nngpcheck::importer
