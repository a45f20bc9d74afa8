"""The demo's data: invented users and their texts, in LaMP's file layout."""
