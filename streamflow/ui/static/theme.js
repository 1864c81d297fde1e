// Before anything is painted: the theme that was chosen here before, if one was. Without a choice the system's is taken.
const chosenTheme = localStorage.getItem("streamflow-theme");
if (chosenTheme === "dark" || chosenTheme === "light") document.documentElement.dataset.theme = chosenTheme;
